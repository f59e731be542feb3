"""The payment page with coupons, vouchers and balance; the customer's coupons and vouchers."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlparse

import pytest

from billing.models import CouponGrant, Order
from billing.states import CouponState, OrderState
from core import clock
from core.tenancy import scope
from tests.factories.billing import (
    give_balance,
    give_coupon,
    give_voucher,
    order_for,
    set_funds,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(cast):
    return order_for(cast.huachen, cast.owner)


@pytest.fixture
def url(order):
    return f"/support/orders/{order.number}/pay/"


@pytest.fixture
def wallet(cast):
    """A coupon, one that does not apply, a voucher, one that is not valid yet, and some balance."""
    with scope.staff():
        give_balance(cast.huachen, "700.00")
    return {
        "coupon": give_coupon(cast.huachen, name="上云九折"),
        "elsewhere": give_coupon(cast.huachen, name="商业级专享", plans=("business",)),
        "voucher": give_voucher(cast.huachen, "1000.00"),
        "soon": give_voucher(cast.huachen, "50.00", valid_from=clock.now() + timedelta(hours=9)),
    }


def fresh(order):
    with scope.staff():
        return Order.objects.get(pk=order.pk)


def control(page: str, control_id: str) -> str:
    """Return the tag of a control."""
    return page.split(f'id="{control_id}"')[1].split(">", maxsplit=1)[0]


def test_the_page_offers_what_can_pay_and_says_why_the_rest_cannot(
    cast, url, wallet, client_for, max_queries
):
    client = client_for(cast.owner)
    give_coupon(cast.yunfan, name="别人的券")

    with max_queries(10):
        page = client.get(url).content.decode()

    assert "仅适用于商业级" in page
    assert "起可用" in page
    assert "别人的券" not in page
    assert "disabled" in control(page, f"coupon-{wallet['elsewhere'].pk}")
    assert "disabled" in control(page, f"voucher-{wallet['soon'].pk}")
    assert "disabled" not in control(page, f"coupon-{wallet['coupon'].pk}")
    assert "checked" in control(page, "coupon-none")
    assert "¥6,000.00" in page


def test_the_server_recomputes_the_sum_and_holds_nothing(cast, order, url, wallet, client_for):
    chosen = {
        "page": "1",
        "coupon": wallet["coupon"].pk,
        "vouchers": wallet["voucher"].pk,
        "balance": "1",
    }

    part = client_for(cast.owner).get(url, chosen, headers={"HX-Request": "true"})

    text = part.content.decode()
    assert "<html" not in text
    assert [text.count(f"− ¥{amount}") > 0 for amount in ("500.00", "1,000.00", "700.00")] == [
        True
    ] * 3
    assert "3,800" in text
    assert "checked" in control(text, f"coupon-{wallet['coupon'].pk}")
    assert fresh(order).coupon_amount == Decimal("0.00")


def test_the_button_without_scripts_keeps_the_choice(cast, url, wallet, client_for):
    client = client_for(cast.owner)
    answer = client.post(
        url,
        {
            "page": "1",
            "coupon": wallet["coupon"].pk,
            "vouchers": [wallet["voucher"].pk],
            "balance": "1",
            "recalculate": "1",
        },
    )

    assert parse_qs(urlparse(answer.url).query) == {
        "page": ["1"],
        "coupon": [str(wallet["coupon"].pk)],
        "vouchers": [str(wallet["voucher"].pk)],
        "balance": ["1"],
    }
    assert "3,800" in client.get(answer.url).content.decode()


def test_paying_holds_the_choice_and_goes_to_the_cashier(cast, order, url, wallet, client_for):
    client = client_for(cast.owner)

    answer = client.post(url, {"page": "1", "coupon": wallet["coupon"].pk, "balance": "1"})

    assert answer.url == f"/support/orders/{order.number}/cashier/"
    kept = fresh(order)
    assert (kept.coupon_amount, kept.balance_amount, kept.due) == (
        Decimal("500.00"),
        Decimal("700.00"),
        Decimal("4800.00"),
    )
    page = client.get(url).content.decode()  # opened again it shows what is held
    assert "checked" in control(page, f"coupon-{wallet['coupon'].pk}")
    assert "checked" in control(page, "balance")
    assert "checked" not in control(page, f"voucher-{wallet['voucher'].pk}")


def test_an_order_that_is_covered_is_paid_at_once(cast, order, url, client_for):
    voucher = give_voucher(cast.huachen, "6000.00")

    answer = client_for(cast.owner).post(url, {"page": "1", "vouchers": [voucher.pk]})

    assert answer.url == f"/support/orders/{order.number}/"
    assert fresh(order).state == OrderState.PAID


def test_a_refusal_stands_beside_its_field_and_the_rest_of_the_choice_is_kept(
    cast, order, url, wallet, client_for
):
    client = client_for(cast.owner)
    chosen = {"page": "1", "vouchers": [wallet["voucher"].pk], "balance": "1"}

    answer = client.post(url, {**chosen, "coupon": wallet["elsewhere"].pk})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert '<p class="field__error" role="alert">仅适用于商业级</p>' in page
    assert "checked" in control(page, f"voucher-{wallet['voucher'].pk}")
    assert "checked" in control(page, "balance")
    assert fresh(order).voucher_amount == Decimal("0.00")


@pytest.mark.parametrize(
    "chosen",
    [
        {"coupon": "abc"},
        {"coupon": "-1"},
        {"coupon": "9" * 30},
        {"vouchers": ["x"]},
        {"vouchers": ["9" * 30]},
    ],
)
def test_rubbish_is_refused_and_changes_nothing(cast, order, url, wallet, client_for, chosen):
    client = client_for(cast.owner)

    answer = client.post(url, {"page": "1", **chosen})

    assert answer.status_code == 422
    assert "提交的内容有误" in answer.content.decode()
    assert client.get(url, {"page": "1", **chosen}).status_code == 200
    assert fresh(order).version == 1


def test_anothers_coupon_and_voucher_are_not_found(cast, order, url, client_for):
    grant, voucher = give_coupon(cast.yunfan), give_voucher(cast.yunfan)
    client = client_for(cast.owner)

    assert client.post(url, {"page": "1", "coupon": grant.pk}).status_code == 422
    assert client.post(url, {"page": "1", "vouchers": [voucher.pk]}).status_code == 422
    with scope.staff():
        assert CouponGrant.objects.get(pk=grant.pk).state == CouponState.AVAILABLE


def test_who_may_pay(cast, url, client_for):
    assert client_for(cast.administrator).get(url).status_code == 403
    assert client_for(cast.member).post(url).status_code == 403
    assert client_for(cast.other_owner).post(url, {"page": "1"}).status_code == 404
    assert client_for(cast.owner).put(url).status_code == 405


def test_coupons_and_vouchers_are_listed_with_their_state(
    cast, order, wallet, client_for, max_queries
):
    with scope.customer(cast.huachen.pk):
        set_funds(order, cast.owner, coupon_grant_id=wallet["coupon"].pk)
    give_coupon(cast.yunfan, name="别人的券")
    client = client_for(cast.administrator)

    with max_queries(7):
        page = client.get("/support/coupons/").content.decode()
    assert order.number in page
    assert "别人的券" not in page
    assert "共 2 条" in page
    held = client.get("/support/coupons/", {"state": "held"}).content.decode()
    assert "共 1 条" in held
    assert "共 2 条" in client.get("/support/coupons/", {"state": "rubbish"}).content.decode()
    with max_queries(6):
        page = client.get("/support/vouchers/").content.decode()
    assert "未生效" in page
    assert "共 2 条" in page


def test_a_member_does_not_see_the_wallet(cast, client_for):
    for page in ("coupons", "vouchers", "balance", "invoices"):
        assert client_for(cast.member).get(f"/support/{page}/").status_code == 403
        assert client_for(cast.staff["operator"]).get(f"/support/{page}/").status_code == 404
