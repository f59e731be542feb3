"""Random lives of a subscription, driven through the services; ledger and invariants are checked after each step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

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

from billing.models import (
    BalanceHold,
    CouponGrant,
    LedgerAccount,
    LedgerLeg,
    LedgerTransaction,
    Order,
    Payment,
    Refund,
    VoucherUse,
)
from billing.paid_lines import PLAN_RANKS
from billing.providers.base import (
    RefundRefusal,
    RefundReport,
    RefundStatus,
    TradeReport,
    TradeStatus,
)
from billing.selectors.lines import lines_of
from billing.services.orders import order_cancel, orders_expire_due
from billing.services.payments import payment_apply, payment_begin
from billing.services.proof import coupons_prove, tenants_prove
from billing.services.refund_asking import refund_apply, refund_claim
from billing.states import (
    OPEN_ORDER_STATES,
    AccountKind,
    CouponState,
    HoldState,
    OrderState,
    OrderType,
    PostingKind,
    RefundState,
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
from tests.factories.billing import actor_of, give_coupon, give_voucher, set_funds
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
START = datetime(2025, 1, 31, 8, 0, tzinfo=SHANGHAI)
PLANS = st.sampled_from(["lite", "business", "enterprise"])
YEARS = st.sampled_from([1, 2, 3])
# Half a day, whole days, a month, most of a year: boundaries and middles.
PAUSES = st.sampled_from(
    [1, 1_800, 43_200, 86_400, 7 * 86_400 - 1, 7 * 86_400, 30 * 86_400, 300 * 86_400]
)


ALWAYS: dict[str, Any] = {"valid_from": START, "valid_until": START + timedelta(days=36_500)}


@dataclass(frozen=True)
class Funds:
    """What the customer wants to pay with. A voucher's amount is in CNY."""

    coupon: bool = False
    voucher: str = ""
    balance: bool = True
    provider: bool = False


WALLET = Funds(balance=False, provider=True)
FUNDS = st.sampled_from(
    [
        Funds(),
        WALLET,
        replace(WALLET, coupon=True),
        replace(WALLET, voucher="4000.00"),
        replace(WALLET, coupon=True, voucher="0.01", balance=True),
        Funds(coupon=True, voucher="4000.00"),
        Funds(voucher="700000.00", balance=False),
        Funds(balance=False),
    ]
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
    @rule(plan=PLANS, years=YEARS, funds=FUNDS)
    def buys(self, plan: str, years: int, funds: Funds) -> None:
        order = self.attempt("new", funds, plan_code=plan, years=years)
        if order is not None:
            assert self.plan == "standard"
            self.plan = plan

    @precondition(has_plan)
    @rule(plan=PLANS, funds=FUNDS, to_balance=st.booleans())
    def changes(self, plan: str, funds: Funds, to_balance: bool) -> None:
        before = self.plan
        order = self.attempt("change", funds, plan_code=plan, to_balance=to_balance)
        if order is not None:
            went_up = PLAN_RANKS[plan] > PLAN_RANKS[before]
            assert order.type == (OrderType.UPGRADE if went_up else OrderType.DOWNGRADE)
            self.plan = plan

    @precondition(has_plan)
    @rule(years=YEARS, funds=FUNDS)
    def renews(self, years: int, funds: Funds) -> None:
        before = self.active()
        order = self.attempt("renewal", funds, years=years)
        if order is not None:
            assert before is not None
            after = self.active()
            assert after is not None
            assert after.ends > before.ends

    @precondition(has_plan)
    @rule(to_balance=st.booleans())
    def leaves(self, to_balance: bool) -> None:
        order = self.attempt("unsubscription", Funds(), to_balance=to_balance)
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

    @rule(refuses=st.booleans())
    def the_provider_gives_back(self, refuses: bool) -> None:
        """What is due to the provider arrives, or its window is over and the balance takes it."""
        self.at += timedelta(minutes=5)
        with scope.staff():
            while (claim := refund_claim(at=self.at)) is not None:
                report = RefundReport(
                    RefundStatus.REFUSED if refuses else RefundStatus.DONE,
                    claim.request.number,
                    claim.request.refund_number,
                    claim.request.amount,
                    code=RefundRefusal.WINDOW_OVER if refuses else RefundRefusal.NONE,
                    refunded_at=self.at,
                )
                refund_apply(report, refund_id=claim.refund_id, at=self.at)

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
            assert findings + coupons_prove() == []

    @invariant()
    def what_came_from_the_provider_is_kept_or_went_back(self) -> None:
        with scope.staff():
            payments = Payment.objects.filter(tenant=self.life.tenant, provider="local")
            came = sum((payment.amount for payment in payments), ZERO)
            refunds = Refund.objects.filter(tenant=self.life.tenant, state=RefundState.SUCCEEDED)
            went = sum((r.amount for r in refunds if r.destination == "local"), ZERO)
            account = LedgerAccount.objects.filter(tenant=self.life.tenant, kind="local").first()
            assert (account.balance if account else ZERO) == went - came
            assert went <= came

    @invariant()
    def an_order_keeps_no_coupon_or_voucher_that_it_did_not_use(self) -> None:
        with scope.staff():
            assert not VoucherUse.objects.filter(state=HoldState.HELD).exists()
            assert not CouponGrant.objects.filter(state=CouponState.HELD).exists()
            completed = Order.objects.filter(state=OrderState.COMPLETED)
            used = CouponGrant.objects.filter(state=CouponState.USED)
            assert used.count() <= completed.filter(coupon_amount__gt=0).count()
            for grant in used.select_related("order"):
                assert grant.order is not None
                assert grant.amount == grant.order.coupon_amount

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
            lines = PaidLine.objects.filter(tenant=self.life.tenant)
            kept = sum(
                (
                    Decimal(amount)
                    for line in lines.filter(closed_at=None)
                    for amount in line.cash.values()
                ),
                ZERO,
            )
            settled = [line.settled_amount for line in lines.exclude(closed_at=None)]
            assert refunded + kept + sum(settled, ZERO) == paid
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

    def attempt(self, kind: str, funds: Funds, **what: object) -> Order | None:
        """Place, pay and fulfil; None where the rules refuse or the balance does not suffice (then it is cancelled)."""
        try:
            order = self.life.place(kind, self.at, **what)
        except DomainError:
            return None
        if order.is_payable and not order.is_free:
            order = self.pay(order, funds)
        if order.state == OrderState.PENDING:
            with scope.customer(self.life.tenant.pk):
                order_cancel(order_id=order.pk, actor=actor_of(self.life.owner), at=self.at)
            return None
        done = self.life.fulfil(order, self.at)
        assert done.state == OrderState.COMPLETED
        return done

    def pay(self, order: Order, funds: Funds) -> Order:
        """Choose what pays, as the customer wishes; the rest comes from the provider, if it comes."""
        tenant, owner = self.life.tenant, self.life.owner
        coupon = give_coupon(tenant, **ALWAYS) if funds.coupon else None
        vouchers = [give_voucher(tenant, funds.voucher, **ALWAYS)] if funds.voucher else []
        with scope.customer(tenant.pk):
            order = set_funds(
                order,
                owner,
                at=self.at,
                coupon_grant_id=coupon.pk if coupon else None,
                voucher_ids=[voucher.pk for voucher in vouchers],
                use_balance=funds.balance,
            )
            if order.state != OrderState.PENDING or not funds.provider:
                return order
            payment = payment_begin(
                order_id=order.pk, provider_code="local", actor=actor_of(owner), at=self.at
            ).payment
        report = TradeReport(
            TradeStatus.PAID,
            "support-portal",
            payment.number,
            payment.amount,
            "CNY",
            trade_no=payment.number,
            paid_at=self.at,
        )
        with scope.staff():
            payment_apply(report, provider_code="local", at=self.at)
            return Order.objects.select_related("plan").get(pk=order.pk)

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
