"""What changing, renewing or leaving the running plan would cost or give back now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.exceptions import NothingRuns, TooManyChanges
from billing.models import ChangeAllowance, Order
from billing.paid_lines import PLAN_RANKS, Line, live_lines, remaining_days, top_lines
from billing.proration import (
    is_returnable,
    quote_downgrade,
    quote_renewal,
    quote_unsubscription,
    quote_upgrade,
)
from billing.quotes import Quote
from billing.selectors.lines import free_returns_used, lines_of
from billing.selectors.orders import plans_for_sale
from billing.selectors.terms import ChangeTerms
from billing.states import OrderState, OrderType
from core.clock import local
from core.exceptions import DomainError
from supportplans.models import Plan, Subscription
from supportplans.selectors.catalogue import monthly_of
from supportplans.selectors.figures import days_of, figures_at, hours_of, minutes_of
from supportplans.selectors.sales import SaleTerms
from supportplans.selectors.subscriptions import subscription_current
from supportplans.states import Basis, FigureCode

CHANGES = (OrderType.UPGRADE, OrderType.DOWNGRADE)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class FreeReturns:
    """How often an account may still leave within the seven days of a purchase. ``until`` is when this one's end."""

    used: int
    total: int
    within: timedelta
    until: datetime | None

    @property
    def left(self) -> int:
        """Return how many are left."""
        return max(0, self.total - self.used)


def paid_subscription(tenant_id: int, at: datetime) -> Subscription:
    """Return the tenant's running paid plan. Raises NothingRuns. One query."""
    running = subscription_current(tenant_id)
    if running is None or running.basis != Basis.PAID or running.ends <= at:
        raise NothingRuns
    return running


def quote_change_of(terms: ChangeTerms, *, at: datetime) -> Quote:
    """Return the price of going to the plan of the terms, up or down. Raises what the rules refuse. No query."""
    ask = quote_upgrade if PLAN_RANKS[terms.plan] >= PLAN_RANKS[terms.current] else quote_downgrade
    return ask(
        lines=terms.lines, plan=terms.plan, monthly=terms.monthly, at=at, current=terms.current
    )


@dataclass(frozen=True)
class ChangeOption:
    """A level that the customer may go to: its price, and what going there costs or gives back, or why it cannot be."""

    plan: Plan
    is_current: bool
    quote: Quote | None = None
    refusal: DomainError | None = None

    @property
    def is_upgrade(self) -> bool:
        """Return True if the level is higher."""
        return self.quote is not None and self.quote.action == "upgrade"


def change_options(subscription: Subscription, *, at: datetime) -> list[ChangeOption]:
    """Return every paid level with what going there costs or gives back now. Two queries."""
    lines, current = lines_of(subscription), subscription.plan
    options = []
    for plan in plans_for_sale(at):
        monthly = monthly_of(plan)
        if plan.code == current.code or monthly is None:
            options.append(ChangeOption(plan, is_current=plan.code == current.code))
            continue
        ask = quote_upgrade if plan.rank > current.rank else quote_downgrade
        try:
            quote = ask(lines=lines, plan=plan.code, monthly=monthly, at=at, current=current.code)
        except DomainError as refused:
            options.append(ChangeOption(plan, is_current=False, refusal=refused))
        else:
            options.append(ChangeOption(plan, is_current=False, quote=quote))
    return options


def quote_renewal_of(
    subscription: Subscription, terms: SaleTerms, *, years: int, at: datetime
) -> Quote:
    """Return the price of another term of the running plan, under its ``terms`` of today. Raises TermNotOffered.

    One query.
    """
    return quote_renewal(
        lines=lines_of(subscription),
        monthly=terms.monthly,
        years=years,
        at=at,
        anchor=subscription.anchor,
        current=subscription.plan.code,
        longest=terms.longest,
    )


def quote_unsubscription_of(subscription: Subscription, *, at: datetime) -> Quote:
    """Return what leaving the running plan gives back now. Three queries."""
    returns = _free_return_rules(subscription.tenant_id, at)
    return quote_unsubscription(
        lines=lines_of(subscription),
        at=at,
        free_returns_used=returns.used,
        free_returns=returns.total,
        free_within=returns.within,
    )


def free_returns_of(subscription: Subscription, *, lines: list[Line], at: datetime) -> FreeReturns:
    """Return the account's counter of free returns, and until when this purchase can be returned. Two queries."""
    rules = _free_return_rules(subscription.tenant_id, at)
    is_open = rules.left > 0 and is_returnable(live_lines(lines, at), at=at, within=rules.within)
    until = lines[0].bought_at + rules.within if is_open else None
    return FreeReturns(rules.used, rules.total, rules.within, until)


def quote_holds_until(lines: list[Line], *, at: datetime) -> datetime:
    """Return how long a quote over the remaining days holds: until they would change, by default at least 30 minutes
    and at most 24 hours (domain.md §3). One query."""
    figures = figures_at([FigureCode.CHANGE_ORDER_MINUTES, FigureCode.CHANGE_ORDER_HOURS], at)
    least = at + minutes_of(figures[FigureCode.CHANGE_ORDER_MINUTES])
    most = at + hours_of(figures[FigureCode.CHANGE_ORDER_HOURS])
    instants = [
        top.ends - remaining_days(top, at) * DAY
        for top in top_lines(live_lines(lines, at))
        if top.starts <= at
    ]
    return min(max(min(instants, default=most), least), most)


def change_allowed(tenant_id: int, at: datetime) -> ChangeAllowance | None:
    """Return None where the rule against frequent changes allows one, or the operator's allowance that does.

    Raises TooManyChanges, which says from when on the next one is possible (domain.md §3). Two or three queries.
    """
    figures = figures_at([FigureCode.CHANGES_MAX, FigureCode.CHANGES_WITHIN_DAYS], at)
    most, within = (
        int(figures[FigureCode.CHANGES_MAX]),
        days_of(figures[FigureCode.CHANGES_WITHIN_DAYS]),
    )
    done = Order.objects.filter(
        tenant_id=tenant_id,
        type__in=CHANGES,
        state=OrderState.COMPLETED,
        completed_at__gt=at - within,
    ).order_by("-completed_at")
    instants = list(done.values_list("completed_at", flat=True)[:most])
    if len(instants) < most:
        return None
    dead = [OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REFUNDED]
    allowances = ChangeAllowance.objects.filter(tenant_id=tenant_id)
    unused = allowances.filter(order=None) | allowances.filter(order__state__in=dead)
    if (allowance := unused.order_by("pk").first()) is not None:
        return allowance
    nth = instants[-1] if instants else None
    raise TooManyChanges(most, within.days, local(nth + within) if nth else None)


def _free_return_rules(tenant_id: int, at: datetime) -> FreeReturns:
    figures = figures_at([FigureCode.FREE_RETURNS, FigureCode.FREE_RETURN_HOURS], at)
    return FreeReturns(
        used=free_returns_used(tenant_id),
        total=int(figures[FigureCode.FREE_RETURNS]),
        within=hours_of(figures[FigureCode.FREE_RETURN_HOURS]),
        until=None,
    )
