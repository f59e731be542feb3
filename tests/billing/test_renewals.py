"""Renewing by itself: off by default, from the balance, daily from seven days before the end (domain.md §2)."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from billing import exceptions as errors
from billing.models import AutoRenewal, Order
from billing.services import renewals
from billing.states import OrderOrigin, OrderState, OrderType
from billing.tasks import auto_renewals_run
from core import clock
from core.clock import SHANGHAI, add_years
from core.tenancy import scope
from messaging.models import Message
from supportplans.selectors.catalogue import agreement_at
from tests.factories.billing import actor_of, give_balance
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
START = datetime(2024, 12, 5, 13, 56, 15, tzinfo=SHANGHAI)
ENDS = add_years(START, 1)
DAY = timedelta(days=1)


@pytest.fixture
def life(cast):
    life = PlanLife(cast.huachen, cast.owner, balance="6000.00")
    life.buy("lite", START)
    return life


def turn(life, *, enabled=True, years=1, version=None):
    with scope.customer(life.tenant.pk):
        return renewals.auto_renewal_set(
            tenant_id=life.tenant.pk,
            enabled=enabled,
            years=years,
            agreement_version=agreement_at(START).version if version is None else version,
            actor=actor_of(life.owner),
            at=START,
        )


def run(life, at):
    """Run the sweep's two steps at an instant; return whether it renewed."""
    with scope.staff():
        due = list(renewals.auto_renewals_due(at=at))
        return [renewals.auto_renew(tenant_id=tenant_id, at=at) for tenant_id, _name in due]


def told(life):
    with scope.staff():
        return list(
            Message.objects.filter(kind="billing.auto_renewal_failed")
            .order_by("pk")
            .values_list("context__why", flat=True)
        )


def fill(life, amount):
    with scope.staff():
        give_balance(life.tenant, amount)


def test_nothing_renews_unless_it_was_turned_on(life):
    fill(life, "6000.00")

    assert run(life, ENDS - DAY) == []
    turn(life)
    turn(life, enabled=False)
    assert run(life, ENDS - DAY) == []


@pytest.mark.parametrize(
    ("before", "tries"), [(7 * DAY + timedelta(seconds=1), 0), (7 * DAY, 1), (DAY, 1)]
)
def test_it_is_tried_from_seven_days_before_the_end(life, before, tries):
    fill(life, "6000.00")
    turn(life)

    assert run(life, ENDS - before) == [True] * tries


def test_it_renews_once_from_the_balance(life):
    fill(life, "7000.00")
    turn(life)

    assert run(life, ENDS - 7 * DAY) == [True]
    assert run(life, ENDS - 6 * DAY) == [False]  # its order is on its way
    with scope.staff():
        order = Order.objects.get(type=OrderType.RENEW)
    assert (order.origin, order.state, order.balance_amount, order.years) == (
        OrderOrigin.AUTO_RENEWAL,
        OrderState.PAID,
        Decimal("6000.00"),
        1,
    )
    life.fulfil(order, ENDS - 6 * DAY)
    assert life.subscription.ends == add_years(START, 2)
    assert run(life, ENDS - 5 * DAY) == []


def test_a_failure_tells_why_once_a_day_and_is_tried_again_the_next_day(life):
    turn(life)

    assert run(life, ENDS - 7 * DAY) == [False]
    assert run(life, ENDS - 7 * DAY + timedelta(hours=2)) == []
    assert run(life, ENDS - 6 * DAY) == [False]
    assert told(life) == ["balance_too_low", "balance_too_low"]
    with scope.staff():
        assert not Order.objects.filter(type=OrderType.RENEW).exists()
    fill(life, "6000.00")
    assert run(life, ENDS - 5 * DAY) == [True]
    with scope.staff():
        assert AutoRenewal.objects.get().failure == ""


def test_an_open_order_is_a_failure(life):
    fill(life, "6000.00")
    turn(life)
    life.place("change", ENDS - 7 * DAY, plan_code="business")

    assert run(life, ENDS - 7 * DAY) == [False]
    assert told(life) == ["open_order_exists"]


def test_who_leaves_and_buys_again_is_not_renewed_unasked(life):
    turn(life)
    life.do("unsubscription", START + 30 * DAY)
    fill(life, "20000.00")

    life.buy("lite", START + 40 * DAY)

    with scope.staff():
        assert not AutoRenewal.objects.get().enabled
    assert run(life, add_years(START + 40 * DAY, 1) - DAY) == []


def test_the_task_renews_what_is_due(life, monkeypatch):
    fill(life, "6000.00")
    turn(life)
    monkeypatch.setattr(clock, "now", lambda: ENDS - DAY)

    auto_renewals_run()

    with scope.staff():
        assert Order.objects.filter(type=OrderType.RENEW, state=OrderState.PAID).count() == 1


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"years": 4}, errors.TermNotOffered),
        ({"version": ""}, errors.AgreementNotAccepted),
        ({"version": "1999"}, errors.AgreementChanged),
    ],
)
def test_what_is_refused_turns_nothing_on(life, changed, error):
    with pytest.raises(error):
        turn(life, **changed)

    with scope.staff():
        assert not AutoRenewal.objects.exists()


def test_the_page_turns_it_on_and_off(life, client_for, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: START + DAY)
    client = client_for(life.owner)

    page = client.post(
        "/support/plan/auto-renewal/",
        {"enabled": "1", "years": "2", "agreement": agreement_at(START).version},
        follow=True,
    )
    assert "已开启自动续订" in page.content.decode()
    assert "每次续订 2 年" in page.content.decode()
    page = client.post("/support/plan/auto-renewal/", {"years": "2"}, follow=True)
    assert "已关闭自动续订" in page.content.decode()
