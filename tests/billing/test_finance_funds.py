"""Finance's pages of coupons and vouchers: terms, granting to one customer, taking back."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, Tenant
from billing.models import Coupon, CouponGrant, Voucher
from billing.states import CouponState
from core import clock
from core.tenancy import scope
from tests.factories.billing import give_coupon, give_voucher

pytestmark = pytest.mark.django_db
KEY = "3b9f3a52-52a1-4a9c-8f4c-4a1d4a6d2f10"


@pytest.fixture
def finance(cast, client_for):
    return client_for(cast.staff["finance"])


def page(name: str, *args: object) -> str:
    return reverse(f"billing:{name}", args=args)


def fresh(row):
    with scope.staff():
        return type(row).objects.get(pk=row.pk)


def terms(**changed: object) -> dict[str, object]:
    now = clock.local(clock.now())
    return {
        "code": "SPRING",
        "name": "春季优惠",
        "kind": "percent",
        "value": "10",
        "cap": "2,000.00",
        "plans": ["lite"],
        "valid_from": f"{now:%Y-%m-%dT%H:%M}",
        "valid_until": f"{now + timedelta(days=9):%Y-%m-%dT%H:%M}",
        **changed,
    }


def test_terms_are_laid_down(finance):
    answer = finance.post(page("finance_coupon_new"), terms())
    with scope.staff():
        coupon = Coupon.objects.get()
    assert answer.url == page("finance_coupon_detail", coupon.pk)
    assert (coupon.value, coupon.cap, coupon.budget) == (Decimal(10), Decimal("2000.00"), None)
    assert (coupon.plans, coupon.order_types) == (["lite"], [])
    assert coupon.actor_name == "财务"
    with scope.staff():
        assert AuditEntry.objects.get(action="billing.coupon_create").subject == "SPRING"
    again = finance.post(page("finance_coupon_new"), terms(name="夏季"))
    assert again.status_code == 422
    assert 'value="夏季"' in again.content.decode()


@pytest.mark.parametrize(
    "changed", [{"value": "101"}, {"cap": ""}, {"valid_until": "2020-01-01T00:00"}, {"kind": "x"}]
)
def test_terms_that_make_no_sense_are_refused(finance, changed):
    assert finance.post(page("finance_coupon_new"), terms(**changed)).status_code == 422
    with scope.staff():
        assert not Coupon.objects.exists()


def test_a_coupon_is_given_once_per_page_and_taken_back(cast, finance):
    coupon = give_coupon(cast.yunfan).coupon
    url = page("finance_coupon_detail", coupon.pk)
    for customer in ("华辰科技", str(cast.huachen.public_id)):
        assert finance.post(url, {"customer": customer, "key": KEY}).status_code == 302
    with scope.staff():
        grant = CouponGrant.objects.get(tenant=cast.huachen)
    nobody = finance.post(url, {"customer": "华辰", "key": KEY})
    assert nobody.status_code == 422
    assert "没有这个客户" in nobody.content.decode()
    assert 'value="华辰"' in nobody.content.decode()
    back = page("finance_coupon_withdraw", grant.pk)
    assert "¥500.00" in finance.get(back).content.decode()
    assert fresh(grant).state == CouponState.AVAILABLE
    assert finance.post(back).url == url
    assert fresh(grant).state == CouponState.WITHDRAWN
    assert finance.post(back).status_code == 422


def test_of_two_customers_of_one_name_the_id_decides(cast, finance):
    coupon = give_coupon(cast.yunfan).coupon
    with scope.staff():
        type(cast.huachen).objects.create(name="华辰科技", created_at=clock.now())
    answer = finance.post(
        page("finance_coupon_detail", coupon.pk), {"customer": "华辰科技", "key": KEY}
    )
    assert "多个同名客户" in answer.content.decode()


def test_a_voucher_is_given_and_what_is_left_taken_back(finance):
    now = clock.local(clock.now())
    typed = {
        "customer": "华辰科技",
        "name": "补偿",
        "amount": "1,200.50",
        "valid_from": f"{now:%Y-%m-%dT%H:%M}",
        "valid_until": f"{now + timedelta(days=9):%Y-%m-%dT%H:%M}",
        "key": KEY,
    }
    url = page("finance_voucher_new")
    assert finance.post(url, {**typed, "amount": "0"}).status_code == 422
    assert finance.post(url, {**typed, "valid_until": typed["valid_from"]}).status_code == 422
    for _ in range(2):
        assert finance.post(url, typed).status_code == 302
    with scope.staff():
        voucher = Voucher.objects.get()
    assert voucher.balance == Decimal("1200.50")
    back = page("finance_voucher_withdraw", voucher.pk)
    assert "¥1,200.50" in finance.get(back).content.decode()
    assert finance.post(back).status_code == 302
    assert fresh(voucher).withdrawn_at is not None
    assert finance.post(back).status_code == 422


def test_vouchers_are_found_by_state_and_customer(cast, finance):
    voucher = give_voucher(cast.huachen)
    url = page("finance_voucher_list")
    for found in ({"state": "usable"}, {"customer": "华辰科技"}, {}):
        assert voucher.number in finance.get(url, found).content.decode()
    for elsewhere in ({"state": "over"}, {"state": "withdrawn"}, {"customer": "云帆物流"}):
        assert voucher.number not in finance.get(url, elsewhere).content.decode()


def offered(client, text):
    page = client.get(reverse("billing:finance_customer_search"), {"customer": text})
    return re.findall(r'<option value="([^"]*)">([^<]*)</option>', page.content.decode())


def test_customers_are_offered_while_one_is_typed(cast, finance):
    with scope.staff():
        twins = [Tenant.objects.create(name="同名科技", created_at=clock.now()) for _ in range(2)]
        for number in range(30):
            Tenant.objects.create(name=f"很多 {number:02}", created_at=clock.now())

    assert offered(finance, "华辰") == [("华辰科技", "华辰科技")]
    assert offered(finance, str(cast.huachen.public_id)) == [("华辰科技", "华辰科技")]
    assert offered(finance, "同名") == [(str(twin.public_id), "同名科技") for twin in twins]
    assert [name for name, _ in offered(finance, "很多")] == [f"很多 {n:02}" for n in range(20)]
    assert offered(finance, " ") == offered(finance, "没有") == []


def test_who_types_a_part_of_a_name_is_told_what_is_alike(cast, finance):
    page = finance.post(
        reverse("billing:finance_top_up"), {"customer": "华辰", "amount": "1.00", "note": "回单"}
    )

    assert page.status_code == 422
    assert "没有这个客户，名称相近的有：华辰科技" in page.content.decode()
