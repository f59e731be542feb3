"""A file of grants: read, shown, granted once however often it is sent, all of it or nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from billing.grant_files import (
    MOST_BYTES,
    MOST_LINES,
    GrantFileInvalid,
    grant_file_text,
    grant_lines,
)
from billing.models import CouponGrant, Voucher
from core.tenancy import scope
from tests.factories.billing import make_coupon

pytestmark = pytest.mark.django_db
URL = "/finance/import/"
HEAD = "客户,类型,优惠券编号或代金券名称,面额,生效日期,失效日期,批次\n"


@pytest.fixture
def finance(cast, client_for):
    return client_for(cast.staff["finance"])


def text_of(*lines: str) -> str:
    return HEAD + "".join(f"{line}\n" for line in lines)


def upload(client, content: str | bytes):
    body = content.encode() if isinstance(content, str) else content
    return client.post(URL, {"file": SimpleUploadedFile("g.csv", body, content_type="text/csv")})


def granted() -> tuple[int, int]:
    with scope.staff():
        return CouponGrant.objects.count(), Voucher.objects.count()


def test_it_is_shown_first_and_granted_as_shown(finance):
    make_coupon(code="UP500")
    text = text_of("华辰科技,优惠券,UP500", '云帆物流,代金券,补偿,"1,000.00",2099-12-01,2099-12-31')

    shown = upload(finance, text)

    assert shown.status_code == 200
    assert "确认发放 2 条，合计 ¥1,500.00" in shown.content.decode()
    assert granted() == (0, 0)
    assert finance.post(URL, {"content": text}).status_code == 302
    assert granted() == (1, 1)
    with scope.staff():
        voucher = Voucher.objects.get()
    assert voucher.amount == Decimal("1000.00")
    assert f"{voucher.valid_until:%Y-%m-%d %H:%M:%S}" == "2099-12-31 15:59:59"


def test_the_same_line_grants_once_in_any_file_unless_its_batch_differs(finance):
    make_coupon(code="UP500")
    first = text_of("华辰科技,优惠券,UP500")
    more = text_of("云帆物流,优惠券,UP500", "华辰科技,优惠券,UP500,,,,")
    again = text_of("华辰科技,优惠券,UP500,,,,二")
    for text in (first, first, more):
        assert finance.post(URL, {"content": text}).status_code == 302
    assert granted() == (2, 0)
    assert "此前都已发放" in upload(finance, first).content.decode()
    finance.post(URL, {"content": again.replace("\n", "\r\n")})
    assert granted() == (3, 0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("无此客户,优惠券,UP500", "没有这个客户"),
        ("华辰科技,优惠券,NONE", "没有编号为 NONE 的优惠券"),
        ("华辰科技,礼品,UP500", "类型应为"),
        ("华辰科技,优惠券", "此行有 2 列"),
        ("华辰科技,代金券,补偿,0,2099-01-01,2099-01-02", "面额须大于"),
        ("华辰科技,代金券,补偿,NaN,2099-01-01,2099-01-02", "面额须大于"),
        ("华辰科技,代金券,补偿,1e999999,2099-01-01,2099-01-02", "面额须大于"),
        ("华辰科技,代金券,补偿,5,2099-01-03,2099-01-02", "失效日期不早于生效日期"),
        ("华辰科技,代金券,补偿,5,2020-01-01,2020-01-02", "失效日期已过"),
        ("云帆物流,优惠券,UP500", "与前面的行重复"),
    ],
)
def test_one_wrong_line_and_nothing_is_granted(finance, line, said):
    make_coupon(code="UP500")
    text = text_of("云帆物流,优惠券,UP500", line)
    shown = upload(finance, text)
    assert shown.status_code == 422
    assert said in shown.content.decode()
    assert 'name="content" value="' not in shown.content.decode()
    assert finance.post(URL, {"content": text}).status_code == 422
    assert granted() == (0, 0)


def test_the_lines_together_stay_within_the_budget(finance):
    make_coupon(code="UP500", budget=Decimal("900.00"))
    text = text_of("云帆物流,优惠券,UP500", "华辰科技,优惠券,UP500")
    assert "预算不足" in upload(finance, text).content.decode()
    assert finance.post(URL, {"content": text}).status_code == 422
    assert granted() == (0, 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "编码的 CSV 文件"),
        (HEAD, "没有发放记录"),
        ("x" * (MOST_BYTES + 1), "文件不超过"),
        (text_of(*["华辰科技,优惠券,A"] * (MOST_LINES + 1)), "一次最多发放"),
        ('a,"b\nc', "不是有效的 CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_beside_its_field(finance, content, said):
    answer = upload(finance, content)
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_without_a_file_it_asks_for_one(finance):
    assert "请选择文件" in finance.post(URL).content.decode()


def test_spreadsheets_of_china_are_read(finance):
    make_coupon(code="UP500")
    assert (
        "将发放 1 条"
        in upload(finance, text_of("华辰科技,优惠券,UP500").encode("gb18030")).content.decode()
    )


def test_only_finance_and_operators_import(cast, client_for):
    assert client_for(cast.staff["operator"]).get(URL).status_code == 200
    assert client_for(cast.staff["account_manager"]).get(URL).status_code == 403
    assert client_for(cast.owner).post(URL).status_code == 404


def test_a_line_has_one_key_however_its_cells_are_padded():
    plain, padded = grant_lines("a,优惠券,b"), grant_lines(" a , 优惠券,b ,,,,")
    assert plain[0].key == padded[0].key
    assert grant_file_text("客户".encode("gb18030")) == "客户"
    with pytest.raises(GrantFileInvalid):
        grant_lines("")
