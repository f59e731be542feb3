"""Funds of an order, coupons, vouchers, the balance, top-ups and invoices over the API."""

from decimal import Decimal

import pytest

from billing.models import Invoice, Order
from core.tenancy import scope
from tests.factories.billing import (
    fulfil,
    give_balance,
    give_coupon,
    give_voucher,
    order_for,
    use_balance,
)

pytestmark = pytest.mark.django_db
API = "/api/v1"
FORM = {"title": "华辰科技有限公司", "tax_number": "91310000MA1FL0000X", "email": "fp@huachen.test"}


@pytest.fixture
def order(cast):
    return order_for(cast.huachen, cast.owner)


def put(client, order, **chosen):
    return client.put(
        f"{API}/orders/{order.number}/funds/", chosen, content_type="application/json"
    )


def post(client, path, body, key="k1"):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"{API}{path}", body, content_type="application/json", headers=headers)


def test_funds_are_set_at_once(cast, order, client_for):
    coupon, voucher = give_coupon(cast.huachen), give_voucher(cast.huachen)

    answer = put(client_for(cast.owner), order, coupon=coupon.pk, vouchers=[voucher.pk])

    assert answer.status_code == 200
    body = answer.json()
    assert (body["coupon_amount"], body["voucher_amount"], body["due"], body["state"]) == (
        "500.00",
        "1000.00",
        "4500.00",
        "pending",
    )
    assert put(client_for(cast.owner), order).json()["due"] == "6000.00"


def test_a_refusal_names_code_and_field(cast, order, client_for):
    coupon = give_coupon(cast.huachen, plans=("business",))
    client = client_for(cast.owner)

    answer = put(client, order, coupon=coupon.pk)

    assert (answer.status_code, answer.json()["code"]) == (422, "coupon_not_applicable")
    assert answer.json()["errors"] == {"coupon": ["仅适用于商业级"]}
    assert put(client, order, vouchers=["x"]).status_code == 400
    assert put(client, order, vouchers=[987_654_321]).json()["code"] == "voucher_not_usable"


def test_who_may_set_funds(cast, order, client_for):
    assert put(client_for(cast.administrator), order).status_code == 403
    assert put(client_for(cast.other_owner), order).status_code == 404
    assert client_for(cast.owner).get(f"{API}/orders/{order.number}/funds/").status_code == 405


def test_the_wallet_is_listed(cast, client_for, order):
    give_coupon(cast.huachen)
    give_voucher(cast.huachen)
    give_coupon(cast.yunfan)
    give_voucher(cast.yunfan)
    with scope.staff():
        give_balance(cast.huachen, "700.00")
    with scope.customer(cast.huachen.pk):
        use_balance(order, cast.owner)
    client = client_for(cast.administrator)

    (coupon,) = client.get(f"{API}/coupons/").json()["results"]
    assert (coupon["value"], coupon["state"], coupon["kind"]) == ("500.00", "available", "fixed")
    (voucher,) = client.get(f"{API}/vouchers/").json()["results"]
    assert voucher["balance"] == "1000.00"
    assert client.get(f"{API}/balance/").json() == {"available": "0.00", "held": "700.00"}
    rows = client.get(f"{API}/balance/statement/").json()["results"]
    assert [(row["kind"], row["amount"]) for row in rows] == [
        ("hold", "-700.00"),
        ("top_up", "700.00"),
    ]
    assert rows[0]["order"] == order.number
    for path in ("coupons", "vouchers", "balance", "balance/statement", "invoices"):
        assert client_for(cast.member).get(f"{API}/{path}/").status_code == 403
        assert client_for(cast.staff["finance"]).get(f"{API}/{path}/").status_code == 404


def test_a_top_up_is_ordered_once_per_key(cast, client_for):
    client = client_for(cast.owner)

    first = post(client, "/top-ups/", {"amount": "600.00"})
    again = post(client, "/top-ups/", {"amount": "600.00"})

    assert (first.status_code, first.json()["type"], first.json()["plan"]) == (201, "top_up", None)
    assert first.json()["number"] == again.json()["number"]
    assert (
        post(client, "/top-ups/", {"amount": "601.00"}).json()["code"] == "idempotency_key_reused"
    )
    assert (
        post(client, "/top-ups/", {"amount": "0.10"}, "k2").json()["code"] == "top_up_out_of_range"
    )
    assert post(client, "/top-ups/", {"amount": "x"}, "k3").status_code == 400
    assert post(client, "/top-ups/", {"amount": "5.00"}, "").status_code == 400
    assert post(client_for(cast.administrator), "/top-ups/", {"amount": "5.00"}).status_code == 403
    with scope.staff():
        assert Order.objects.count() == 1


def test_an_invoice_is_asked_for_read_and_cancelled(cast, order, client_for):
    with scope.staff():
        give_balance(cast.huachen, "6000.00")
    with scope.customer(cast.huachen.pk):
        use_balance(order, cast.owner)
    fulfil(order)
    client = client_for(cast.owner)

    made = post(client, "/invoices/", {"order": order.number, **FORM})

    assert (made.status_code, made.json()["amount"]) == (201, "6000.00")
    one = f"{API}/invoices/{made.json()['id']}/"
    assert client_for(cast.administrator).get(one).json()["state"] == "requested"
    assert client_for(cast.administrator).delete(one).status_code == 403
    assert client_for(cast.other_owner).get(one).status_code == 404
    assert client_for(cast.other_owner).delete(one).status_code == 404
    assert (
        post(client, "/invoices/", {"order": order.number, **FORM}).json()["code"]
        == "invoice_exists"
    )
    assert client.delete(one).json()["state"] == "withdrawn"
    assert client.delete(one).json()["code"] == "invoice_not_open"
    wrong = post(client, "/invoices/", {"order": order.number, **FORM, "tax_number": "1"})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["tax_number"])
    other = post(client_for(cast.other_owner), "/invoices/", {"order": order.number, **FORM})
    assert other.status_code == 404
    assert (
        post(
            client_for(cast.administrator), "/invoices/", {"order": order.number, **FORM}
        ).status_code
        == 403
    )
    with scope.staff():
        assert Invoice.objects.get().amount == Decimal("6000.00")
