"""The sweeps of billing and terms: a row that cannot be done holds up no other one."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import SweepFailure
from billing.models import Order
from billing.services import orders, provisioning, renewals
from billing.services.orders import orders_expire_due
from billing.services.provisioning import orders_provision_due
from billing.services.renewals import auto_renewals_run
from billing.states import OrderState
from core import clock
from core.tenancy import scope
from messaging.models import Message
from supportplans.models import PaidLine, Subscription
from supportplans.selectors.catalogue import agreement_at
from supportplans.services import subscriptions as terms
from supportplans.services.subscriptions import end_notices_send, subscriptions_expire_due
from supportplans.states import SubscriptionState
from tests.factories.billing import actor_of, order_for
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def breaks(monkeypatch):
    """Break a function of a module for one customer or order; return what mends it."""

    def patch(module, name, is_bad):
        real = getattr(module, name)

        def broken(*args, **kwargs):
            if is_bad(*args, **kwargs):
                raise ZeroDivisionError("broken")
            return real(*args, **kwargs)

        monkeypatch.setattr(module, name, broken)
        return lambda: monkeypatch.setattr(module, name, real)

    return patch


def states(*rows):
    with scope.staff():
        return [type(row).objects.values_list("state", flat=True).get(pk=row.pk) for row in rows]


def failures():
    with scope.staff():
        return list(SweepFailure.objects.values_list("task", "label"))


@pytest.fixture
def lives(cast):
    """Two customers with a plan each, 华辰's the older one."""
    at = clock.now().replace(microsecond=0) - 360 * DAY
    lives = [PlanLife(cast.huachen, cast.owner), PlanLife(cast.yunfan, cast.other_owner)]
    for number, life in enumerate(lives):
        life.buy("lite", at + number * MINUTE)
    return lives


def test_an_order_that_cannot_expire_lets_the_others_expire(cast, breaks):
    bad, good = order_for(cast.huachen, cast.owner), order_for(cast.yunfan, cast.other_owner)
    mend = breaks(orders, "_end", lambda order, **_: order.pk == bad.pk)

    assert orders_expire_due(at=good.pays_until) == 1

    assert states(bad, good) == [OrderState.PENDING, OrderState.EXPIRED]
    assert failures() == [("billing.orders_expire_due", bad.number)]
    mend()
    assert orders_expire_due(at=good.pays_until + MINUTE) == 1
    assert failures() == []


def test_a_term_that_cannot_end_lets_the_others_end(lives, breaks):
    bad, good = (life.subscription for life in lives)
    breaks(terms, "subscription_end", lambda row, **_: row.pk == bad.pk)

    assert subscriptions_expire_due(at=good.ends) == 1

    assert states(bad, good) == [SubscriptionState.ACTIVE, SubscriptionState.EXPIRED]
    assert failures() == [("supportplans.subscriptions_expire_due", "华辰科技")]


def test_an_owner_who_cannot_be_told_lets_the_others_be_told(lives, breaks):
    bad, good = (life.subscription for life in lives)
    breaks(terms, "notify", lambda *_, **told: told["tenant_id"] == bad.tenant_id)

    assert end_notices_send(at=good.ends - 15 * DAY) == 1

    with scope.staff():
        told = Message.objects.filter(kind="supportplans.term_ending")
        assert list(told.values_list("tenant_id", "context__days")) == [(good.tenant_id, 15)]
    assert failures() == [("supportplans.end_notices_send", "华辰科技")]


def test_a_plan_that_cannot_be_renewed_lets_the_others_be_renewed(lives, breaks):
    ends = lives[1].subscription.ends
    for life in lives:
        with scope.customer(life.tenant.pk):
            renewals.auto_renewal_set(
                tenant_id=life.tenant.pk,
                enabled=True,
                years=1,
                agreement_version=agreement_at(ends).version,
                actor=actor_of(life.owner),
                at=ends - 5 * DAY,
            )
    bad = lives[0].tenant.pk
    breaks(renewals, "balance_of", lambda tenant_id: tenant_id == bad)

    assert auto_renewals_run(at=ends - DAY) == 1

    with scope.staff():
        renewed = Order.objects.filter(type="renew").values_list("tenant_id", "state")
        assert list(renewed) == [(lives[1].tenant.pk, OrderState.PAID)]
    assert failures() == [("billing.auto_renewals_run", "华辰科技")]


def test_a_renewal_on_its_way_is_no_failure_to_renew(lives, messages):
    life = lives[0]
    ending = life.subscription.ends - DAY
    with scope.customer(life.tenant.pk):
        renewals.auto_renewal_set(
            tenant_id=life.tenant.pk,
            enabled=True,
            years=1,
            agreement_version=agreement_at(ending).version,
            actor=actor_of(life.owner),
            at=ending,
        )
    order = life.pay(life.place("renewal", ending, years=2), ending)
    assert order.state == OrderState.PAID

    assert auto_renewals_run(at=ending) == 0

    assert messages("billing.auto_renewal_failed") == []
    life.fulfil(order, ending)
    assert auto_renewals_run(at=ending + MINUTE) == 0
    assert messages("billing.auto_renewal_failed") == []
    assert life.subscription.ends == clock.add_years(ending + DAY, 2)


def test_an_order_that_cannot_be_fulfilled_waits_behind_the_others(cast, breaks, monkeypatch):
    """With room for one order in a batch, the one that fails must not take that room again and again."""
    monkeypatch.setattr(provisioning, "SWEEP_BATCH", 1)
    at = clock.now()
    lives = [PlanLife(cast.huachen, cast.owner), PlanLife(cast.yunfan, cast.other_owner)]
    bad, good = (
        life.pay(life.place("new", at + n * MINUTE, plan_code="lite", years=1), at + n * MINUTE)
        for n, life in enumerate(lives)
    )
    mend = breaks(provisioning, "order_fulfil", lambda order, *_, **__: order.pk == bad.pk)
    later = at + 5 * MINUTE

    assert [orders_provision_due(at=later) for _ in range(2)] == [0, 1]

    assert states(bad, good) == [OrderState.PROVISIONING, OrderState.COMPLETED]
    assert failures() == [("billing.orders_provision_due", bad.number)]
    with scope.staff():
        assert Subscription.objects.filter(tenant=cast.huachen).count() == 0
    mend()
    assert orders_provision_due(at=later + MINUTE) == 1
    with scope.staff():
        history = bad.history.order_by("pk").values_list("to_state", flat=True)
        assert list(history) == ["pending", "paid", "provisioning", "completed"]
        lines = PaidLine.objects.filter(tenant=cast.huachen)
        assert [line.list_amount for line in lines] == [Decimal("6000.00")]
    assert failures() == []
