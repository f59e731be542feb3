"""The worked examples of domain.md §3 to the cent: on the page, in the API and from ``explain_quote``, for one account.

Lived four years later than told, with the same leap days: the agreement that customers accept is younger than the guide.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from billing.models import Order
from core import clock
from core.clock import SHANGHAI, add_years
from core.tenancy import scope
from supportplans.models import PaidLine
from tests.factories.billing import give_coupon, give_voucher, make_coupon, set_funds
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
CHANGE, LEAVE = "/support/plan/change/", "/support/unsubscriptions/new/"
QUOTE = "/api/v1/orders/quote/"
DAY = timedelta(days=1)


def moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)


def two_years_of_lite(life: PlanLife) -> datetime:
    life.buy("lite", moment(2027, 12, 5, 13, 56, 15), years=2)
    return moment(2027, 12, 6, 10, 39, 16)


def lite_of_the_same_day(life: PlanLife) -> datetime:
    life.buy("lite", moment(2027, 12, 7, 11, 8, 41))
    return moment(2027, 12, 7, 18, 0, 0)


def days_before_the_end(plan: str, days: int) -> Callable[[PlanLife], datetime]:
    def live(life: PlanLife) -> datetime:
        starts = moment(2027, 12, 5, 13, 56, 15)
        life.buy(plan, starts)
        return add_years(starts, 1) - days * DAY

    return live


def pay(life: PlanLife, order: Order, **funds: Any) -> None:
    """Pay with what is named and the rest from the balance, and let the worker deliver."""
    at = order.created_at
    with scope.customer(life.tenant.pk):
        set_funds(order, life.owner, at=at, use_balance=True, **funds)
    life.fulfil(order, at)


def business_with_a_coupon(life: PlanLife) -> datetime:
    starts = moment(2027, 12, 5, 13, 56, 15)
    most = Decimal("270000.00")
    coupon = make_coupon(starts, kind="percent", value=Decimal("90.00"), cap=most)
    grant = give_coupon(life.tenant, coupon)
    pay(life, life.place("new", starts, plan_code="business", years=1), coupon_grant_id=grant.pk)
    with scope.staff():
        line = PaidLine.objects.get(tenant=life.tenant)
    assert line.cash == {"balance": "30000.00"}
    return add_years(starts, 1) - 300 * DAY


def lite_with_a_voucher_and_up(life: PlanLife) -> datetime:
    starts = moment(2027, 12, 5, 13, 56, 15)
    voucher = give_voucher(life.tenant, "6000.00", valid_from=starts, valid_until=starts + DAY)
    pay(life, life.place("new", starts, plan_code="lite", years=1), voucher_ids=[voucher.pk])
    assert life.change("business", starts).amount == 294_000
    return starts


EXAMPLES = {
    "up with 730 days left": (two_years_of_lite, "upgrade", "business", "588000.00"),
    "left on the same day": (lite_of_the_same_day, "unsubscribe", "", "6000.00"),
    "left with 100 days left": (
        days_before_the_end("business", 100),
        "unsubscribe",
        "",
        "82191.78",
    ),
    "down with 73 days left": (
        days_before_the_end("enterprise", 73),
        "downgrade",
        "business",
        "60000.00",
    ),
    "down after a coupon": (business_with_a_coupon, "downgrade", "lite", "19726.03"),
    "up and straight down": (lite_with_a_voucher_and_up, "downgrade", "lite", "294000.00"),
}


@pytest.mark.parametrize(("live", "action", "plan", "amount"), EXAMPLES.values(), ids=EXAMPLES)
def test_a_worked_example_is_the_same_everywhere(
    cast, client_for, monkeypatch, live, action, plan, amount
):
    life = PlanLife(cast.huachen, cast.owner)
    at = live(life)
    monkeypatch.setattr(clock, "now", lambda: at)
    client = client_for(cast.owner)
    asked = {"type": action, **({"plan": plan} if plan else {})}

    page = client.get(LEAVE) if action == "unsubscribe" else client.get(CHANGE, {"plan": plan})
    quote = client.get(QUOTE, asked).json()
    told = explain({"action": action, "at": at.isoformat(), "plan": plan}, life)

    assert f"{Decimal(amount):,.2f}" in page.content.decode()
    side = "amount" if action == "upgrade" else "refund"
    assert quote[side] == amount
    assert told["charge" if action == "upgrade" else "refund"] == amount


def explain(question: dict[str, str], life: PlanLife) -> dict[str, str]:
    """Ask the operators' command about the stored subscription, in staff's scope as there."""
    out = io.StringIO()
    question = {name: value for name, value in question.items() if value}
    with pytest.MonkeyPatch.context() as patch, scope.staff():
        patch.setattr(sys, "stdin", io.StringIO(json.dumps(question)))
        call_command("explain_quote", "--subscription", str(life.subscription.pk), stdout=out)
    return dict(json.loads(out.getvalue()))
