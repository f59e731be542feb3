"""Two at once on a plan that runs: tabs, workers and sweeps; each race is shown without the lock where it can be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import Tenant
from billing import exceptions as errors
from billing.models import AutoRenewal, ChangeAllowance, Order
from billing.selectors.lines import free_returns_used
from billing.selectors.wallet import balance_of
from billing.services import provisioning, renewals
from billing.states import OrderState, OrderType
from core import clock
from core.tenancy import scope
from supportplans.models import PaidLine, Subscription
from supportplans.selectors.catalogue import agreement_at
from supportplans.services.subscriptions import subscriptions_expire_due
from supportplans.services.trials import trial_apply, trial_grant
from supportplans.states import Basis, SubscriptionState
from tests.billing.test_races import at_once, names
from tests.factories.billing import actor_of
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def life(cast):
    return PlanLife(cast.huachen, cast.owner)


def placing(life: PlanLife, kind: str, at: datetime, **what: object) -> Callable[[], Order]:
    return lambda: life.place(kind, at, **what)


def without_tenant_lock(monkeypatch, *modules: str) -> None:
    """Read the tenant without locking it, and let both threads get that far before one goes on."""
    both_have_read = threading.Barrier(2)

    def unlocked(tenant_id: int) -> Tenant:
        tenant = Tenant.objects.get(pk=tenant_id)
        both_have_read.wait(timeout=10)
        return tenant

    for module in modules:
        monkeypatch.setattr(f"{module}.lock_tenant", unlocked)


def balance(life: PlanLife) -> Decimal:
    with scope.staff():
        return balance_of(life.tenant.pk)


def placed(life: PlanLife, *types: str) -> list[Order]:
    with scope.staff():
        return list(Order.objects.filter(tenant=life.tenant, type__in=types).order_by("pk"))


def fulfilling(order: Order, at: datetime) -> Callable[[], object]:
    def run() -> object:
        with scope.staff():
            return provisioning.order_provision(order_id=order.pk, at=at)

    return run


# Two clicks, two tabs


@pytest.mark.parametrize("plan", ["business", "enterprise"])
def test_a_double_click_on_a_change_makes_one_order_and_both_see_it(life, plan):
    at = clock.now()
    life.buy("lite", at - 30 * DAY)

    first, second = at_once(*[placing(life, "change", at, plan_code=plan, idempotency_key="k")] * 2)

    assert first == second
    assert len(placed(life, OrderType.UPGRADE)) == 1


def test_a_double_click_on_a_downgrade_gives_back_once(life):
    at = clock.now()
    life.buy("business", at - 30 * DAY)
    before = balance(life)

    first, second = at_once(
        *[placing(life, "change", at, plan_code="lite", idempotency_key="k")] * 2
    )
    at_once(*[fulfilling(first, at)] * 3)
    life.fulfil(first, at)

    assert first == second
    assert balance(life) == before + first.refund_amount


UP = ("change", {"plan_code": "enterprise"})
DOWN = ("change", {"plan_code": "lite"})
LEAVE = ("unsubscription", {})
RENEW = ("renewal", {"years": 1})


@pytest.mark.parametrize("other", [UP, DOWN, RENEW, LEAVE], ids=["up", "down", "renew", "leave"])
def test_two_tabs_on_one_plan_make_one_order_and_the_other_is_told(life, other):
    at = clock.now()
    life.buy("business", at - 30 * DAY)
    (kind, what), (leave, nothing) = other, LEAVE

    results = at_once(placing(life, kind, at, **what), placing(life, leave, at, **nothing))

    assert names(results) == ["OpenOrderExists", "Order"]
    with scope.staff():
        assert Order.objects.exclude(type=OrderType.TOP_UP).count() == 2  # with the purchase


def test_without_the_lock_two_tabs_on_one_plan_meet_the_databases_refusal(life, monkeypatch):
    at = clock.now()
    life.buy("business", at - 30 * DAY)
    without_tenant_lock(monkeypatch, "billing.services.placing")

    results = at_once(
        placing(life, "change", at, plan_code="enterprise"), placing(life, "unsubscription", at)
    )

    assert names(results) == ["IntegrityError", "Order"]


def test_leaving_twice_takes_the_last_free_return_once(life):
    at = clock.now() - DAY
    for hours in (0, 1):
        life.buy("lite", at + timedelta(hours=hours))
        life.do("unsubscription", at + timedelta(hours=hours, minutes=1))
    before = balance(life)
    life.buy("lite", at + timedelta(hours=2))

    results = at_once(*[placing(life, "unsubscription", at + timedelta(hours=3))] * 3)
    assert names(results) == ["OpenOrderExists", "OpenOrderExists", "Order"]
    left = placed(life, OrderType.UNSUBSCRIBE)[-1]
    at_once(*[fulfilling(left, at + timedelta(hours=3))] * 3)

    with scope.staff():
        assert free_returns_used(life.tenant.pk) == 3
    assert balance(life) == before
    with pytest.raises(errors.NothingRuns):
        life.place("unsubscription", at + timedelta(hours=4))

    life.buy("lite", at + timedelta(hours=5))
    fourth = life.place("unsubscription", at + timedelta(hours=6))
    assert (fourth.is_free_return, fourth.refund_amount) == (False, Decimal("5983.56"))


# The rule against frequent changes


@pytest.fixture
def allowed(life):
    """Two changes were made this month; an operator has allowed one more."""
    at = clock.now()
    life.buy("lite", at - 30 * DAY)
    life.change("business", at - 3 * DAY)
    life.change("enterprise", at - 2 * DAY)
    with scope.staff():
        return ChangeAllowance.objects.create(
            tenant=life.tenant, reason="客户架构调整", created_at=at
        )


def used_by(allowance: ChangeAllowance) -> Order | None:
    with scope.staff():
        return ChangeAllowance.objects.select_related("order").get(pk=allowance.pk).order


def test_an_allowance_is_used_by_one_of_two_tabs(life, allowed):
    at = clock.now()

    results = at_once(
        placing(life, "change", at, plan_code="lite"),
        placing(life, "change", at, plan_code="business"),
    )

    assert names(results) == ["OpenOrderExists", "Order"]
    assert used_by(allowed) == results[1]
    life.fulfil(used_by(allowed), at)
    with pytest.raises(errors.TooManyChanges):
        life.place("change", at, plan_code="enterprise")


def test_without_the_lock_the_database_still_lets_one_tab_use_the_allowance(
    life, allowed, monkeypatch
):
    at = clock.now()
    without_tenant_lock(monkeypatch, "billing.services.placing")

    results = at_once(
        placing(life, "change", at, plan_code="lite"),
        placing(life, "change", at, plan_code="business"),
    )

    assert names(results) == ["IntegrityError", "Order"]
    assert used_by(allowed) == results[1]


# Renewing


@pytest.fixture
def ending(life):
    """A plan that ends in five days and renews by itself; the instant of the customer's click."""
    at = clock.now()
    life.buy("lite", clock.add_years(at + 5 * DAY, -1))
    with scope.customer(life.tenant.pk):
        renewals.auto_renewal_set(
            tenant_id=life.tenant.pk,
            enabled=True,
            years=1,
            agreement_version=agreement_at(at).version,
            actor=actor_of(life.owner),
            at=at,
        )
    return at


def renewing_itself(life: PlanLife, at: datetime) -> Callable[[], object]:
    def run() -> object:
        with scope.staff():
            return renewals.auto_renew(tenant_id=life.tenant.pk, at=at)

    return run


def fulfil_renewals(life: PlanLife, at: datetime) -> list[Order]:
    orders = placed(life, OrderType.RENEW)
    return [life.fulfil(order, at) for order in orders if order.state == OrderState.PAID]


def test_two_workers_renew_by_itself_once(life, ending):
    before = balance(life)

    results = at_once(*[renewing_itself(life, ending)] * 3)

    assert sorted(map(str, results)) == ["False", "False", "True"]
    assert len(fulfil_renewals(life, ending)) == 1
    assert balance(life) == before - Decimal("6000.00")


def test_without_the_locks_the_second_worker_tells_the_customer_of_a_failure(
    life, ending, monkeypatch, messages
):
    before = balance(life)
    without_tenant_lock(monkeypatch, "billing.services.renewals")
    both_have_read = threading.Barrier(2)

    class Unlocked:
        @staticmethod
        def get(tenant_id: int) -> AutoRenewal:
            setting = AutoRenewal.objects.get(tenant_id=tenant_id)
            both_have_read.wait(timeout=10)
            return setting

    monkeypatch.setattr(renewals, "lock_auto_renewals", Unlocked)

    results = at_once(*[renewing_itself(life, ending)] * 2)

    assert sorted(map(str, results)) == ["False", "True"]
    assert len(messages("billing.auto_renewal_failed")) == 1
    assert balance(life) == before - Decimal("6000.00")


def test_the_customers_renewal_against_the_one_by_itself_is_one_term(life, ending):
    before, ends = balance(life), life.subscription.ends

    def by_hand() -> object:
        return life.pay(life.place("renewal", ending, years=1), ending)

    results = at_once(by_hand, renewing_itself(life, ending))

    assert [r for r in results if isinstance(r, Exception)] == [
        r for r in results if isinstance(r, errors.OpenOrderExists)
    ]
    assert len(fulfil_renewals(life, ending)) == 1
    assert life.subscription.ends == clock.add_years(ends, 1)
    assert balance(life) == before - Decimal("6000.00")


def test_a_plan_that_was_renewed_since_the_sweep_began_is_not_renewed_again(life, ending, messages):
    """The sweep has read who is due; the customer renews before it gets there."""
    with scope.staff():
        assert [due for due, _name in renewals.auto_renewals_due(at=ending)] == [life.tenant.pk]
    life.do("renewal", ending, years=1)
    before, ends = balance(life), life.subscription.ends

    assert renewing_itself(life, ending)() is False

    assert fulfil_renewals(life, ending) == []
    assert (balance(life), life.subscription.ends) == (before, ends)
    assert messages("billing.auto_renewal_failed") == []
    with scope.staff():
        assert AutoRenewal.objects.get(tenant=life.tenant).tried_on is None


def test_a_plan_that_was_left_since_the_sweep_began_is_no_failure(life, ending, messages):
    life.do("unsubscription", ending)

    assert renewing_itself(life, ending)() is False

    assert messages("billing.auto_renewal_failed") == []


# The end of the term


def expiring(at: datetime) -> Callable[[], object]:
    def run() -> object:
        with scope.staff():
            return subscriptions_expire_due(at=at)

    return run


def states(order: Order, subscription: Subscription) -> tuple[str, str]:
    with scope.staff():
        order.refresh_from_db()
        subscription.refresh_from_db()
    return order.state, subscription.state


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=-1)], ids=["at", "just before"])
def test_a_paid_upgrade_against_the_end_is_delivered_or_given_back(life, late):
    bought_at = clock.add_years(clock.now(), -1).replace(microsecond=0)
    life.buy("lite", bought_at)
    subscription, ends = life.subscription, life.subscription.ends
    before = balance(life)
    order = life.place("change", ends - timedelta(hours=30), plan_code="business")
    life.pay(order, ends - timedelta(hours=29))

    at_once(fulfilling(order, ends + late), expiring(ends), fulfilling(order, ends + late))
    expiring(ends)()  # the first sweep left it out, where it found the plan in somebody's hands

    outcome = states(order, subscription)
    spent = before - balance(life)
    possible = {("refunded", "expired", Decimal("0.00"))}
    if late:
        possible.add(("completed", "expired", order.amount))
    assert (*outcome, spent) in possible
    with scope.staff():
        assert PaidLine.objects.count() == (2 if order.state == OrderState.COMPLETED else 1)


def test_leaving_against_the_end_gives_back_once(life):
    bought_at = clock.add_years(clock.now(), -1).replace(microsecond=0)
    life.buy("lite", bought_at)
    subscription, ends = life.subscription, life.subscription.ends
    before = balance(life)
    order = life.place("unsubscription", ends - timedelta(hours=25))

    at_once(fulfilling(order, ends), expiring(ends), fulfilling(order, ends))
    expiring(ends)()  # the first sweep left it out, where it found the plan in somebody's hands

    assert states(order, subscription) == ("completed", "expired")
    assert order.refund_amount == Decimal("16.44")
    assert balance(life) == before + order.refund_amount


# Trials


@pytest.fixture
def application(cast):
    with scope.customer(cast.huachen.pk):
        return trial_apply(
            tenant_id=cast.huachen.pk,
            plan_code="business",
            reason="评估",
            actor=actor_of(cast.owner),
            at=clock.now(),
        )


def granting(cast, application) -> Callable[[], object]:
    def run() -> object:
        with scope.staff():
            return trial_grant(
                application_id=application.pk,
                days=None,
                actor=cast.actor(cast.staff["account_manager"]),
                at=clock.now(),
            )

    return run


def running(life: PlanLife) -> list[str]:
    with scope.staff():
        active = Subscription.objects.filter(tenant=life.tenant, state=SubscriptionState.ACTIVE)
        return [subscription.basis for subscription in active]


def test_a_trial_is_granted_by_one_of_two_managers(cast, life, application):
    results = at_once(*[granting(cast, application)] * 2)

    assert names(results) == ["TrialAlreadyDecided", "TrialApplication"]
    assert running(life) == [Basis.TRIAL]


def test_without_its_lock_the_plans_lock_stops_the_second_manager(
    cast, life, application, monkeypatch
):
    both_have_read = threading.Barrier(2)

    def unlocked(_: int) -> object:
        found = type(application).objects.select_related("plan").get(pk=application.pk)
        both_have_read.wait(timeout=10)
        return found

    monkeypatch.setattr("supportplans.services.trials._lock_open", unlocked)

    results = at_once(*[granting(cast, application)] * 2)

    assert names(results) == ["SubscriptionAlreadyActive", "TrialApplication"]
    assert running(life) == [Basis.TRIAL]


def test_a_trial_against_a_purchase_leaves_the_plan_that_was_paid(cast, life, application):
    at = clock.now()
    order = life.pay(life.place("new", at, plan_code="lite", years=1), at)

    results = at_once(granting(cast, application), fulfilling(order, clock.now()))

    assert not [r for r in results if isinstance(r, Exception)] or "TrialNotPossible" in names(
        results
    )
    assert running(life) == [Basis.PAID]
    with scope.staff():
        assert Order.objects.get(pk=order.pk).state == OrderState.COMPLETED
