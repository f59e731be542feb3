"""Changes, renewals and leaving over the API: the guide's figures, refusals, the same key."""

from datetime import datetime, timedelta

import pytest

from billing.models import Order
from billing.states import OrderType
from core import clock
from core.clock import SHANGHAI, add_years
from core.tenancy import scope
from supportplans.selectors.catalogue import agreement_at
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
URL, QUOTE = "/api/v1/orders/", "/api/v1/orders/quote/"
START = datetime(2024, 12, 5, 13, 56, 15, tzinfo=SHANGHAI)
ENDS = add_years(START, 1)
DAY = timedelta(days=1)


@pytest.fixture
def life(cast):
    return PlanLife(cast.huachen, cast.owner)


@pytest.fixture
def at(monkeypatch):
    def stand(instant):
        monkeypatch.setattr(clock, "now", lambda: instant)

    return stand


def place(client, key="k1", **body):
    body.setdefault("agreement_version", agreement_at(START).version)
    return client.post(URL, body, content_type="application/json", headers={"Idempotency-Key": key})


def test_the_guides_upgrade(life, cast, client_for, at):
    start = datetime(2024, 3, 5, 13, 56, 15, tzinfo=SHANGHAI)
    life.buy("lite", start, years=2)
    at(start)

    quote = client_for(cast.member).get(QUOTE, {"type": "upgrade", "plan": "business"}).json()
    placed = place(client_for(cast.owner), type="upgrade", plan="business", amount="588000.00")

    assert (quote["amount"], quote["paid_days"], quote["refund"]) == ("588000.00", 730, "0.00")
    assert [line["rule"] for line in quote["explanation"]] == ["new_plan_needed", "old_plan_left"]
    assert placed.status_code == 201
    assert (placed.json()["amount"], placed.json()["type"], placed.json()["paid_days"]) == (
        "588000.00",
        "upgrade",
        730,
    )


def test_the_guides_return_within_seven_days(life, cast, client_for, at):
    life.buy("lite", START)
    at(START + timedelta(minutes=6))
    client = client_for(cast.owner)

    quote = client.get(QUOTE, {"type": "unsubscribe"}).json()
    placed = place(
        client, type="unsubscribe", reason="wrong_choice", confirmed=True, amount="6000.00"
    )

    assert (quote["refund"], quote["free_return"], quote["refund_to"], quote["ends"]) == (
        "6000.00",
        True,
        {"balance": "6000.00"},
        None,
    )
    assert (placed.status_code, placed.json()["refund_amount"]) == (201, "6000.00")


def test_a_downgrade_and_a_renewal(life, cast, client_for, at):
    life.buy("enterprise", START)
    at(ENDS - 73 * DAY)
    client = client_for(cast.owner)

    assert (
        client.get(QUOTE, {"type": "downgrade", "plan": "business"}).json()["refund"] == "60000.00"
    )
    renewal = client.get(QUOTE, {"type": "renew", "years": 1}).json()
    assert (renewal["amount"], renewal["ends"]) == ("600000.00", "2026-12-05T13:56:15+08:00")
    assert place(client, type="renew", years=1).json()["years"] == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"type": "upgrade"}, 400, "invalid"),
        ({"type": "sideways", "plan": "business"}, 400, "invalid"),
        ({"type": "upgrade", "plan": "lite"}, 422, "plan_not_higher"),
        ({"type": "downgrade", "plan": "enterprise"}, 422, "plan_not_lower"),
        ({"type": "downgrade", "plan": "business"}, 422, "plan_not_lower"),
        ({"type": "renew", "years": 4}, 422, "term_not_offered"),
        ({"type": "unsubscribe", "confirmed": True}, 422, "reason_missing"),
        ({"type": "unsubscribe", "reason": "other"}, 422, "refund_not_confirmed"),
        ({"type": "unsubscribe", "reason": "boredom", "confirmed": True}, 400, "invalid"),
        ({"type": "upgrade", "plan": "enterprise", "agreement_version": ""}, 400, "invalid"),
        ({"type": "upgrade", "plan": "enterprise", "amount": "1.00"}, 409, "price_changed"),
        ({"type": "new", "plan": "lite", "years": 1}, 409, "subscription_already_active"),
    ],
)
def test_refusals_have_a_stable_code_and_change_nothing(
    life, cast, client_for, at, body, status, code
):
    life.buy("business", START)
    at(START + 10 * DAY)

    answer = place(client_for(cast.owner), **body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    with scope.staff():
        placed = Order.objects.filter(tenant=cast.huachen).exclude(
            type__in=[OrderType.TOP_UP, OrderType.NEW]
        )
        assert not placed.exists()


def test_without_a_plan_there_is_nothing_to_ask(cast, client_for):
    answer = client_for(cast.owner).get(QUOTE, {"type": "unsubscribe"})

    assert (answer.status_code, answer.json()["code"]) == (409, "no_active_subscription")


def test_only_the_owner_orders(life, cast, client_for, at):
    life.buy("lite", START)
    at(START + DAY)

    assert place(client_for(cast.administrator), type="renew", years=1).status_code == 403


def test_an_order_is_cancelled(life, cast, client_for, at):
    life.buy("lite", START)
    at(START + DAY)
    client = client_for(cast.owner)
    number = place(client, type="renew", years=1).json()["number"]

    assert client_for(cast.other_owner).post(f"{URL}{number}/cancel/").status_code == 404
    assert client_for(cast.administrator).post(f"{URL}{number}/cancel/").status_code == 403
    assert client.post(f"{URL}{number}/cancel/").json()["state"] == "cancelled"
    again = client.post(f"{URL}{number}/cancel/")
    assert (again.status_code, again.json()["code"]) == (409, "order_not_cancellable")


def test_an_order_is_paid_at_a_provider(life, cast, client_for, at):
    life.buy("lite", START)
    at(START + DAY)
    client = client_for(cast.owner)
    number = place(client, type="renew", years=1).json()["number"]

    ways = {way["code"]: way["reason"] for way in client.get(f"{URL}{number}/payment/").json()}
    begun = client.post(
        f"{URL}{number}/payment/", {"method": "local"}, content_type="application/json"
    )
    unknown = client.post(
        f"{URL}{number}/payment/", {"method": "gold"}, content_type="application/json"
    )

    assert ways["local"] == ""
    assert ways["alipay"] != ""
    assert begun.json()["amount"] == "6000.00"
    assert "sign=" in begun.json()["address"]
    assert (unknown.status_code, unknown.json()["code"]) == (409, "provider_unavailable")


def test_renewing_by_itself_is_turned_on_and_off(life, cast, client_for, at):
    life.buy("lite", START)
    at(START + DAY)
    client, path = client_for(cast.owner), "/api/v1/auto-renewal/"

    def put(**body):
        return client.put(path, body, content_type="application/json")

    assert client.get(path).json()["enabled"] is False
    assert put(enabled=True, years=2).json()["code"] == "agreement_not_accepted"
    turned = put(enabled=True, years=2, agreement_version=agreement_at(START).version)
    assert (turned.json()["enabled"], turned.json()["years"]) == (True, 2)
    assert put(enabled=False).json()["enabled"] is False
    assert client_for(cast.administrator).get(path).status_code == 403
