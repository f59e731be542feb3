"""What a paid order does to the plan, by type. Nothing here moves the order itself.

What was quoted is what is delivered: the rules are asked again with the instant at which the order was placed, and must
give the frozen amount. Where they do not, because the plan has ended or changed meanwhile, NotDeliverable is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.access import SYSTEM
from billing.allocation import spread_funds
from billing.exceptions import NotDeliverable, NothingRuns
from billing.models import Order
from billing.paid_lines import Line
from billing.proration import (
    quote_downgrade,
    quote_new,
    quote_renewal,
    quote_unsubscription,
    quote_upgrade,
)
from billing.quotes import Closing, Quote
from billing.selectors.lines import lines_of
from billing.services.vouchers import funds_return
from billing.states import AccountKind, OrderType
from core.money import ZERO
from supportplans.exceptions import SubscriptionAlreadyActive, SubscriptionEnded
from supportplans.models import PaidLine, Subscription
from supportplans.services.changes import (
    subscription_cancel,
    subscription_change,
    subscription_extend,
)
from supportplans.services.subscriptions import NewPaidLine, subscription_follow
from supportplans.states import Basis, LineKind, SubscriptionState

FOREVER = timedelta(days=36_500)


def order_fulfil(
    order: Order, subscriptions: Sequence[Subscription], *, at: datetime
) -> Subscription:
    """Do what a plan's order bought, sold back or gave up; return the subscription it concerns.

    The caller holds the locks of tenant, all its ``subscriptions`` and the order, and moves the order. Raises
    NotDeliverable before anything is written.
    """
    deliver = {
        OrderType.NEW: _start,
        OrderType.RENEW: _renew,
        OrderType.UPGRADE: _upgrade,
        OrderType.DOWNGRADE: _downgrade,
        OrderType.UNSUBSCRIBE: _leave,
    }[OrderType(order.type)]
    try:
        return deliver(order, subscriptions, at)
    except SubscriptionAlreadyActive:
        raise NotDeliverable("plan_already_active") from None
    except (SubscriptionEnded, NothingRuns):
        raise NotDeliverable("plan_ended") from None


def _start(order: Order, subscriptions: Sequence[Subscription], at: datetime) -> Subscription:
    """Give the plan for the whole term, from now: the service begins when it is delivered, not when it was paid."""
    assert order.plan is not None
    starts, years = at.replace(microsecond=0), order.years or 0
    quote = quote_new(
        plan=order.plan.code, monthly=_monthly(order), years=years, at=starts, longest=years
    )
    active = (row for row in subscriptions if row.state == SubscriptionState.ACTIVE)
    return subscription_follow(
        next(active, None),
        tenant_id=order.tenant_id,
        plan=order.plan,
        basis=Basis.PAID,
        starts=starts,
        ends=quote.term.ends,
        lines=_paid_lines(order, quote, at),
        actor=SYSTEM,
        at=at,
    )


def _renew(order: Order, subscriptions: Sequence[Subscription], at: datetime) -> Subscription:
    """Add a term to the plan that runs. One that ended while the order was on its way starts anew."""
    subscription = _subscription(order, subscriptions)
    if subscription.state != SubscriptionState.ACTIVE or subscription.ends <= at:
        return _start(order, subscriptions, at)
    if subscription.plan_id != order.plan_id:
        raise NotDeliverable("plan_changed")
    years = order.years or 0  # offered when the order was placed, whatever is offered now
    quote = quote_renewal(
        lines=lines_of(subscription),
        monthly=_monthly(order),
        years=years,
        at=order.created_at,
        anchor=subscription.anchor,
        current=subscription.plan.code,
        longest=years,
    )
    _must_be_frozen(quote, order)
    return subscription_extend(
        subscription_id=subscription.pk,
        ends=quote.term.ends,
        lines=_paid_lines(order, quote, at),
        actor=SYSTEM,
        at=at,
    )


def _upgrade(order: Order, subscriptions: Sequence[Subscription], at: datetime) -> Subscription:
    subscription = _subscription(order, subscriptions)
    quote = _change(order, subscription, quote_upgrade)
    assert order.plan is not None
    return subscription_change(
        subscription_id=subscription.pk,
        plan_code=order.plan.code,
        lines=_paid_lines(order, quote, at),
        closed={},
        actor=SYSTEM,
        at=at,
    )


def _downgrade(order: Order, subscriptions: Sequence[Subscription], at: datetime) -> Subscription:
    """Go down. Where the plan has ended meanwhile, the money that was promised is still given back."""
    subscription = _subscription(order, subscriptions)
    quote = _change(order, subscription, quote_downgrade)
    assert order.plan is not None
    if subscription.state != SubscriptionState.ACTIVE or subscription.ends <= at:
        # Nothing goes on below, so that nothing is carried over.
        ended = [replace(closing, carried=ZERO) for closing in quote.closings]
        return subscription_cancel(
            subscription_id=subscription.pk, closed=_kept(ended), actor=SYSTEM, at=at
        )
    return subscription_change(
        subscription_id=subscription.pk,
        plan_code=order.plan.code,
        lines=[_new_line(order, line, at) for line in quote.added],
        closed=_kept(quote.closings),
        actor=SYSTEM,
        at=at,
    )


def _leave(order: Order, subscriptions: Sequence[Subscription], at: datetime) -> Subscription:
    subscription = _subscription(order, subscriptions)
    quote = quote_unsubscription(
        lines=lines_of(subscription),
        at=order.created_at,
        # Whether it was free was decided, and counted, when the order was placed.
        free_returns=1 if order.is_free_return else 0,
        free_within=FOREVER,
    )
    _must_be_frozen(quote, order)
    closed = _kept(quote.closings)
    if order.is_free_return:
        bought = PaidLine.objects.filter(pk__in=closed).values("order_number")
        for paid in Order.objects.filter(tenant_id=order.tenant_id, number__in=bought):
            funds_return(order=paid, actor=SYSTEM, at=at)
    return subscription_cancel(subscription_id=subscription.pk, closed=closed, actor=SYSTEM, at=at)


def _change(order: Order, subscription: Subscription, ask: Callable[..., Quote]) -> Quote:
    assert order.plan is not None
    assert order.from_plan is not None
    if subscription.plan.code != order.from_plan.code:
        raise NotDeliverable("plan_changed")
    quote = ask(
        lines=lines_of(subscription),
        plan=order.plan.code,
        monthly=_monthly(order),
        at=order.created_at,
        current=subscription.plan.code,
    )
    _must_be_frozen(quote, order)
    return quote


def _must_be_frozen(quote: Quote, order: Order) -> None:
    if (quote.charge, quote.refund) != (order.amount, order.refund_amount):
        raise NotDeliverable("plan_changed")


def _subscription(order: Order, subscriptions: Sequence[Subscription]) -> Subscription:
    return next(row for row in subscriptions if row.pk == order.subscription_id)


def _monthly(order: Order) -> Decimal:
    if order.monthly is None:
        raise ValueError(f"order {order.number} has no price")
    return order.monthly


def _kept(closings: Sequence[Closing]) -> dict[int, Decimal]:
    """Return what was earned with each line that ends, by the line's id."""
    return {closing.line.key: closing.kept for closing in closings if closing.line.key is not None}


def _paid_lines(order: Order, quote: Quote, at: datetime) -> list[NewPaidLine]:
    """Return the new lines of a charge, each with its part of coupon, vouchers and cash."""
    funds = {"coupon": order.coupon_amount, "voucher": order.voucher_amount, **_cash(order)}
    spread = spread_funds([line.list_amount for line in quote.added], funds)
    return [
        _new_line(
            order,
            replace(line, coupon=parts.pop("coupon"), voucher=parts.pop("voucher"), cash=parts),
            at,
        )
        for line, parts in zip(quote.added, spread, strict=True)
    ]


def _new_line(order: Order, line: Line, at: datetime) -> NewPaidLine:
    return NewPaidLine(
        order_number=order.number,
        kind=LineKind(line.kind),
        from_monthly=line.from_monthly,
        monthly=line.monthly,
        starts=line.starts,
        ends=line.ends,
        bought_at=at,
        paid_days=line.paid_days,
        list_amount=line.list_amount,
        coupon_amount=line.coupon,
        voucher_amount=line.voucher,
        cash={method: f"{amount:.2f}" for method, amount in line.cash.items() if amount},
    )


def _cash(order: Order) -> dict[str, Decimal]:
    """Return what was paid per method. A refund goes back along the same lines."""
    cash = {AccountKind.BALANCE.value: order.balance_amount} if order.balance_amount else {}
    provider: str | None = order.paid_by  # type: ignore[attr-defined]  # read with the lock
    if provider is not None and order.due > ZERO:
        cash[provider] = order.due
    return cash
