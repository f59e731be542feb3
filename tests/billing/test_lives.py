"""Random lives of a subscription, driven through the services; ledger and invariants are checked after each step."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing.models import BalanceHold, LedgerAccount, LedgerLeg, LedgerTransaction, Order
from billing.paid_lines import PLAN_RANKS
from billing.selectors.lines import lines_of
from billing.services.orders import order_cancel, orders_expire_due
from billing.services.proof import tenants_prove
from billing.states import (
    OPEN_ORDER_STATES,
    AccountKind,
    HoldState,
    OrderState,
    OrderType,
    PostingKind,
)
from core import clock
from core.clock import SHANGHAI
from core.exceptions import DomainError
from core.money import ZERO
from core.tenancy import scope
from supportplans.models import PaidLine, Subscription
from supportplans.services.subscriptions import subscriptions_expire_due
from supportplans.states import SubscriptionState
from tests.cast import Cast, make_cast
from tests.factories.billing import actor_of
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
START = datetime(2025, 1, 31, 8, 0, tzinfo=SHANGHAI)
PLANS = st.sampled_from(["lite", "business", "enterprise"])
YEARS = st.sampled_from([1, 2, 3])
# Half a day, whole days, a month, most of a year: boundaries and middles.
PAUSES = st.sampled_from(
    [1, 1_800, 43_200, 86_400, 7 * 86_400 - 1, 7 * 86_400, 30 * 86_400, 300 * 86_400]
)


def has_plan(life: Lives) -> bool:
    """Return True while a plan runs: most of what is refused without one has tests of its own."""
    return life.plan != "standard"


class Lives(RuleBasedStateMachine):
    """One customer who orders, pays, changes, renews, leaves, forgets to pay and comes back."""

    cast: Cast

    @initialize()
    def begin(self) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.cast = make_cast(clock.now())
        self.life = PlanLife(self.cast.huachen, self.cast.owner, balance="3000000.00")
        self.at = START
        self.plan = "standard"
        self.free_returns = 0

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    # What happens

    @rule(pause=PAUSES)
    def time_passes(self, pause: int) -> None:
        self.at += timedelta(seconds=pause)
        with scope.staff():
            orders_expire_due(at=self.at)
            subscriptions_expire_due(at=self.at)
        subscription = self.active()
        self.plan = subscription.plan.code if subscription else "standard"

    @precondition(lambda life: not has_plan(life))
    @rule(plan=PLANS, years=YEARS)
    def buys(self, plan: str, years: int) -> None:
        order = self.attempt("new", plan_code=plan, years=years)
        if order is not None:
            assert self.plan == "standard"
            self.plan = plan

    @precondition(has_plan)
    @rule(plan=PLANS)
    def changes(self, plan: str) -> None:
        before = self.plan
        order = self.attempt("change", plan_code=plan)
        if order is not None:
            went_up = PLAN_RANKS[plan] > PLAN_RANKS[before]
            assert order.type == (OrderType.UPGRADE if went_up else OrderType.DOWNGRADE)
            self.plan = plan

    @precondition(has_plan)
    @rule(years=YEARS)
    def renews(self, years: int) -> None:
        before = self.active()
        order = self.attempt("renewal", years=years)
        if order is not None:
            assert before is not None
            after = self.active()
            assert after is not None
            assert after.ends > before.ends

    @precondition(has_plan)
    @rule()
    def leaves(self) -> None:
        order = self.attempt("unsubscription")
        if order is not None:
            self.free_returns += order.is_free_return
            self.plan = "standard"

    @rule(plan=PLANS, forgets=st.booleans())
    def orders_without_paying(self, plan: str, forgets: bool) -> None:
        kind = "new" if self.plan == "standard" else "renewal"
        what = {"plan_code": plan, "years": 1} if kind == "new" else {"years": 1}
        try:
            order = self.life.place(kind, self.at, **what)
        except DomainError:
            return
        if forgets:
            self.at = order.pays_until
            with scope.staff():
                orders_expire_due(at=self.at)
                subscriptions_expire_due(at=self.at)
            subscription = self.active()
            self.plan = subscription.plan.code if subscription else "standard"
        else:
            with scope.customer(self.life.tenant.pk):
                order_cancel(order_id=order.pk, actor=actor_of(self.life.owner), at=self.at)

    # What always holds

    @invariant()
    def the_book_balances(self) -> None:
        with scope.staff():
            accounts = LedgerAccount.objects.filter(tenant=self.life.tenant)
            for account in accounts:
                legs = LedgerLeg.objects.filter(account=account).aggregate(sum=Sum("amount"))["sum"]
                assert account.balance == (legs or ZERO)
            balances = {account.kind: account.balance for account in accounts}
            assert sum(balances.values(), ZERO) == ZERO
            assert balances.get(AccountKind.BALANCE, ZERO) >= ZERO
            held = BalanceHold.objects.filter(tenant=self.life.tenant, state=HoldState.HELD)
            assert balances.get(AccountKind.HELD, ZERO) == (
                held.aggregate(s=Sum("amount"))["s"] or ZERO
            )
            _, findings = tenants_prove(self.life.tenant.pk, self.life.tenant.pk)
            assert findings == []

    @invariant()
    def no_more_is_refunded_than_was_paid(self) -> None:
        with scope.staff():
            orders = Order.objects.filter(tenant=self.life.tenant, state=OrderState.COMPLETED)
            paid = sum(
                (
                    order.balance_amount + order.due
                    for order in orders
                    if not order.gives_back and order.type != OrderType.TOP_UP
                ),
                ZERO,
            )
            refunded = sum((order.refund_amount for order in orders), ZERO)
            kept = sum(
                (
                    Decimal(amount)
                    for line in PaidLine.objects.filter(tenant=self.life.tenant, closed_at=None)
                    for amount in line.cash.values()
                ),
                ZERO,
            )
            assert refunded + kept <= paid
            sales = LedgerAccount.objects.filter(
                tenant=self.life.tenant, kind=AccountKind.SALES
            ).first()
            owed = LedgerAccount.objects.filter(
                tenant=self.life.tenant, kind=AccountKind.REFUNDING
            ).first()
            assert (sales.balance if sales else ZERO) == paid - refunded
            assert (owed.balance if owed else ZERO) >= ZERO

    @invariant()
    def the_plan_is_what_was_ordered(self) -> None:
        subscription = self.active()
        assert (subscription.plan.code if subscription else "standard") == self.plan
        with scope.staff():
            active = Subscription.objects.filter(
                tenant=self.life.tenant, state=SubscriptionState.ACTIVE
            )
            assert active.count() <= 1
            open_orders = Order.objects.filter(tenant=self.life.tenant, state__in=OPEN_ORDER_STATES)
            assert not open_orders.exclude(type=OrderType.TOP_UP).exists()
            if subscription is not None:
                lines = lines_of(subscription)
                assert max(line.ends for line in lines) == subscription.ends
                for line in lines:
                    assert line.list_amount == line.coupon + line.voucher + sum(
                        line.cash.values(), ZERO
                    )
        assert self.free_returns <= 3

    # Helpers

    def attempt(self, kind: str, **what: object) -> Order | None:
        """Place, pay and fulfil; None where the rules refuse or the balance does not suffice (then it is cancelled)."""
        try:
            order = self.life.place(kind, self.at, **what)
        except DomainError:
            return None
        order = self.life.pay(order, self.at)
        if order.state == OrderState.PENDING:
            with scope.customer(self.life.tenant.pk):
                order_cancel(order_id=order.pk, actor=actor_of(self.life.owner), at=self.at)
            return None
        done = self.life.fulfil(order, self.at)
        assert done.state == OrderState.COMPLETED
        return done

    def active(self) -> Subscription | None:
        with scope.staff():
            return (
                Subscription.objects.filter(
                    tenant=self.life.tenant, state=SubscriptionState.ACTIVE, ends__gt=self.at
                )
                .select_related("plan")
                .first()
            )


def test_every_life_keeps_the_books():
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=20,
            stateful_step_count=16,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_posting_names_its_order_or_its_operator(cast):
    life = PlanLife(cast.huachen, cast.owner)
    life.buy("lite", START)
    life.change("business", START + timedelta(days=1))

    with scope.staff():
        postings = LedgerTransaction.objects.exclude(kind=PostingKind.TOP_UP)
        assert postings.exists()
        assert not postings.filter(order=None, actor=None).exists()
    assert connection.connection is not None
