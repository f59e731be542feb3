"""Reading what was paid for a subscription, as the pricing rules see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F

from billing.exceptions import QuestionInvalid
from billing.models import Order
from billing.paid_lines import Line, live_lines, under_plan
from billing.quote_json import instant_asked, line_as_json
from billing.states import OrderState, OrderType
from core.clock import local, now
from supportplans.models import PaidLine, Subscription
from supportplans.selectors.catalogue import monthly_of, plans_with_price
from supportplans.selectors.figures import figures_at
from supportplans.states import FigureCode, LineKind


def lines_of(subscription: Subscription) -> list[Line]:
    """Return the lines of a subscription that nothing has closed, as they were bought. One query.

    ``key`` is the row's id; a first purchase is ``changed`` once another line was ever added.
    """
    rows = PaidLine.objects.filter(tenant_id=subscription.tenant_id, subscription=subscription)
    ordered = rows.annotate(plan_code=F("plan__code")).order_by("pk")
    return open_lines(list(ordered), anchor=subscription.anchor)


def open_lines(rows: Sequence[PaidLine], *, anchor: datetime) -> list[Line]:
    """Turn all rows of a subscription, as they were bought and each with its ``plan_code``, into the lines that are
    open. ``anchor`` is the subscription's."""
    was_changed = len(rows) > 1
    return [_line(row, anchor, was_changed) for row in rows if row.closed_at is None]


def free_returns_used(tenant_id: int) -> int:
    """Return how often the account has left within the seven days of a purchase (domain.md §3). One query."""
    return Order.objects.filter(
        tenant_id=tenant_id,
        type=OrderType.UNSUBSCRIBE,
        is_free_return=True,
        state=OrderState.COMPLETED,
    ).count()


def question_about(subscription_id: int, question: Any) -> dict[str, Any]:
    """Complete a question (see ``billing.quote_json``) with a stored subscription's lines, and with what is in force
    at its instant: prices, the longest term, the rule of free returns and their number.

    The caller is in staff's scope. Raises QuestionInvalid.
    """
    subscription = Subscription.objects.select_related("plan").filter(pk=subscription_id).first()
    if subscription is None:
        raise QuestionInvalid(f"--subscription: there is no subscription {subscription_id}")
    if isinstance(question, dict):
        question = {"at": local(now()).isoformat(), **question}
    at = instant_asked(question)
    prices = {plan.code: monthly_of(plan) for plan in plans_with_price(at)}
    figures = figures_at(
        [FigureCode.FREE_RETURNS, FigureCode.FREE_RETURN_HOURS, FigureCode.TERM_YEARS], at
    )
    lines = under_plan(live_lines(lines_of(subscription), at), subscription.plan.code)
    return {
        "free_refunds_used": free_returns_used(subscription.tenant_id),
        "free_refunds": int(figures[FigureCode.FREE_RETURNS]),
        "free_refund_hours": int(figures[FigureCode.FREE_RETURN_HOURS]),
        "longest_years": int(figures[FigureCode.TERM_YEARS]),
        "prices": {code: f"{price:.2f}" for code, price in prices.items() if price is not None},
        **question,
        "lines": [line_as_json(line) for line in lines],
    }


def _line(row: PaidLine, anchor: datetime, was_changed: bool) -> Line:  # noqa: FBT001
    return Line(
        plan=row.plan_code,  # type: ignore[attr-defined]  # annotated
        from_monthly=row.from_monthly,
        monthly=row.monthly,
        starts=row.starts,
        ends=row.ends,
        paid_days=row.paid_days,
        list_amount=row.list_amount,
        coupon=row.coupon_amount,
        voucher=row.voucher_amount,
        cash={method: Decimal(amount) for method, amount in row.cash.items()},
        kind=row.kind,
        bought=row.bought_at,
        anchor=anchor,
        changed=was_changed or row.kind != LineKind.PURCHASE,
        key=row.pk,
    )
