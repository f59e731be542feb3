"""Bills and configurations: what is not whole is not half believed."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from decimal import Decimal

import pytest

from billing.providers import alipay_bill, wechatpay_bill
from billing.providers.base import ProviderError, RecordKind
from core import clock
from tests.providers.alipay_server import END, archive
from tests.providers.houses import Alipay, WeChatPay
from tests.providers.wechatpay_server import BILL_HEADS, bill_of

ALIPAY_LINE = (
    "2023120622001385831429205180\t,20231206103915434625\t,交易,客户支持计划 轻量级,2023-12-06 10:39:20\t,"
    "2023-12-06 10:39:27\t,,,,,华*(hua***@example.com),6000.00,6000.00,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,,36.00,0.00,"
)
WECHAT_LINE = (
    "`2023-12-06 10:39:27,`wxd678efh567hg6787,`1900000109,`0,`,`4200001971202312068231406742,`20231206103915434625,"
    "`oUpF8uMuAJO_M2px,`NATIVE,`SUCCESS,`CMB_DEBIT,`CNY,`6000.00,`0.00,`0,`0,`0.00,`0.00,`,`,`客户支持计划,`,"
    "`36.00000,`0.60%,`6000.00,`0.00,`"
)


def packed(text: str) -> tuple[bytes, str]:
    return gzip.compress(text.encode()), hashlib.sha1(text.encode()).hexdigest()


def test_a_line_of_alipay_is_read():
    (record,) = alipay_bill.bill_records(archive([ALIPAY_LINE]))

    assert (record.kind, record.amount) == (RecordKind.PAYMENT, Decimal("6000.00"))
    assert (record.number, record.trade_no) == (
        "20231206103915434625",
        "2023120622001385831429205180",
    )
    assert record.at.isoformat() == "2023-12-06T10:39:27+08:00"


def test_a_subject_with_commas_quotes_and_hashes_breaks_no_line():
    line = ALIPAY_LINE.replace("客户支持计划 轻量级", '"计划, ""轻量级"" #1"')

    assert len(alipay_bill.bill_records(archive([line]))) == 1


@pytest.mark.parametrize(
    "bill",
    [
        b"",
        b"PK",
        archive([ALIPAY_LINE], end=""),
        archive([ALIPAY_LINE])[:300],
        archive([ALIPAY_LINE.replace("交易,", "转账,")]),
        archive([ALIPAY_LINE.replace("6000.00", "6,000.00")]),
        archive([ALIPAY_LINE.replace("10:39:27", "10:39")]),
        archive(["1,2,3"]),
    ],
)
def test_a_bill_of_alipay_that_is_not_whole_is_refused(bill):
    with pytest.raises(ValueError, match=r"\w"):
        alipay_bill.bill_records(bill)


def test_an_archive_without_one_list_of_details_is_refused():
    for names in ([], ["业务明细.csv", "业务明细2.csv"]):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as opened:
            for name in names:
                opened.writestr(name, END)
        with pytest.raises(ValueError, match=r"details|archive|list"):
            alipay_bill.bill_records(made.getvalue())


def test_a_line_of_wechat_pay_is_read():
    bill, sha1 = packed(bill_of([WECHAT_LINE]))
    (record,) = wechatpay_bill.bill_records(bill, sha1=sha1)

    assert (record.kind, record.amount) == (RecordKind.PAYMENT, Decimal("6000.00"))
    assert (record.number, record.refund_number) == ("20231206103915434625", "")
    assert record.at.isoformat() == "2023-12-06T10:39:27+08:00"


def test_a_comma_in_a_subject_moves_no_column_of_wechat_pay():
    bill, sha1 = packed(bill_of([WECHAT_LINE.replace("`客户支持计划", "`计划, 一年")]))
    (record,) = wechatpay_bill.bill_records(bill, sha1=sha1)

    assert record.amount == Decimal("6000.00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        BILL_HEADS,
        bill_of([WECHAT_LINE]).replace("订单金额", "金额"),
        bill_of([WECHAT_LINE]).replace("`1,`0.00", "`2,`0.00"),
        bill_of([WECHAT_LINE.replace("`SUCCESS", "`UNKNOWN")]),
        bill_of([WECHAT_LINE.replace("`6000.00", "`600000.000")]),
        bill_of([WECHAT_LINE]).split("总交易单数")[0] + "总交易单数",
    ],
)
def test_a_bill_of_wechat_pay_that_is_not_whole_is_refused(text):
    bill, sha1 = packed(text)
    with pytest.raises(ValueError, match=r"\w"):
        wechatpay_bill.bill_records(bill, sha1=sha1)


def test_a_bill_of_wechat_pay_must_be_the_announced_one(wechatpay: WeChatPay):
    wechatpay.paid("20231206103915434625")
    wechatpay.server.bill_sha1 = "0" * 40
    with pytest.raises(ProviderError, match="announced"):
        wechatpay.provider.records(clock.local(clock.now()).date())

    bill, sha1 = packed(bill_of([WECHAT_LINE]))
    for other in (bill[:-9], b"", b"text", bill + b"more"):
        if other == bill + b"more":
            assert wechatpay_bill.bill_records(other, sha1=sha1)  # what follows is not read
            continue
        with pytest.raises(ValueError, match=r"gzipped|announced"):
            wechatpay_bill.bill_records(other, sha1=sha1)


def test_alipays_error_is_not_a_day_without_business(alipay: Alipay):
    alipay.server.fails_with = "isp.unknow-error"
    with pytest.raises(ProviderError, match="20000"):
        alipay.provider.records(clock.local(clock.now()).date())


def test_the_gateways_own_errors_refuse_no_refund(alipay: Alipay):
    alipay.paid("20231206103915434625")
    alipay.server.fails_with = "aop.ACQ.SYSTEM_ERROR"
    with pytest.raises(ProviderError):
        alipay.provider.refund(alipay.refund_request("20231206103915434625", "r1", "1.00"))


@pytest.mark.parametrize(("state", "code"), [("CLOSED", "other"), ("ABNORMAL", "account_gone")])
def test_a_refund_that_wechat_pay_gave_up_is_refused(wechatpay: WeChatPay, state, code):
    wechatpay.paid("20231206103915434625")
    wechatpay.delay_refund()
    wechatpay.provider.refund(wechatpay.refund_request("20231206103915434625", "r1", "1.00"))
    wechatpay.server.refunds["r1"].status = state

    report = wechatpay.provider.refund_query("20231206103915434625", "r1")

    assert (report.status, report.code, report.reason) == ("refused", code, state)
