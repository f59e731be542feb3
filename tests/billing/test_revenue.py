"""Revenue as finance reads it: the database's sums are the rule's, and who may see them."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from billing.paid_lines import Line
from billing.revenue import Booked, by_month, deferred_at, month_after
from billing.selectors.revenue import MOST_MONTHS, SOLD, revenue_between
from core.clock import SHANGHAI, day_start
from core.money import ZERO, from_cents, to_cents
from core.tenancy import scope
from supportplans.models import PaidLine, Plan
from supportplans.states import LineKind
from tests.factories.supportplans import make_subscription

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2025, 3, 1), date(2026, 2, 1)
NOW = datetime(2026, 2, 14, 9, 30, tzinfo=SHANGHAI)
DAY = timedelta(days=1)


def random_lines(subscription, count: int) -> list[PaidLine]:
    """Return lines that begin, end and are closed around the months that are asked for, some on their very edges."""
    dice = random.Random(20261124)
    plans = list(Plan.objects.filter(code__in=SOLD))
    edges = [day_start(date(2025, month, 1)) for month in range(1, 13)]
    lines = []
    for n in range(count):
        starts = dice.choice(edges) + dice.choice([0, 0, 1]) * timedelta(
            seconds=dice.randrange(-500 * 86_400, 400 * 86_400)
        )
        paid_days = dice.choice([0, 1, 30, 365, 730])
        ends = starts + max(paid_days, 1) * DAY + timedelta(hours=dice.choice([0, 0, 9, 24]))
        bought_at = starts + timedelta(hours=dice.choice([-700, 0, 0, 1, 900]))
        cash = {"balance": dice.randrange(1_000_000), "alipay": dice.randrange(99)}
        closed_at = dice.choice([None, bought_at + dice.randrange(400) * DAY, dice.choice(edges)])
        if closed_at is not None and closed_at < bought_at:
            closed_at = None
        settled = None if closed_at is None else from_cents(dice.randrange(sum(cash.values()) + 1))
        lines.append(
            PaidLine(
                tenant_id=subscription.tenant_id,
                subscription=subscription,
                order_number=f"{n:020}",
                kind=dice.choice(LineKind.values),
                plan=dice.choice(plans),
                monthly=Decimal("500.00"),
                starts=starts,
                ends=ends,
                bought_at=bought_at,
                paid_days=paid_days,
                list_amount=Decimal("99999.00"),
                voucher_amount=from_cents(dice.randrange(9999)),
                coupon_amount=from_cents(dice.randrange(9999)),
                cash={method: f"{from_cents(cents)}" for method, cents in cash.items()},
                closed_at=closed_at,
                settled_amount=settled,
            )
        )
    return PaidLine.objects.bulk_create(lines)


def booked(row: PaidLine) -> Booked:
    line = Line(
        plan=row.plan.code,
        monthly=row.monthly,
        starts=row.starts,
        ends=row.ends,
        paid_days=row.paid_days,
        list_amount=row.list_amount,
        cash={method: Decimal(amount) for method, amount in row.cash.items()},
        bought=row.bought_at,
    )
    return Booked(line, row.closed_at, row.settled_amount or ZERO)


@pytest.mark.parametrize("at", [NOW, NOW + 300 * DAY])
def test_the_database_sums_as_the_rule_does(cast, django_assert_num_queries, at):
    subscription = make_subscription(cast.huachen)
    with scope.staff():
        rows = random_lines(subscription, 400)
        with django_assert_num_queries(1):
            revenue = revenue_between(FIRST, LAST, at)
    end = min(at, day_start(month_after(LAST)))
    lines = [booked(row) for row in rows]
    expected = by_month(lines, end)

    assert [row.month for row in revenue.months] == sorted(
        {date(2025, month, 1) for month in range(3, 13)} | {date(2026, 1, 1), LAST}
    )
    for row in revenue.months:
        for plan in SOLD:
            assert to_cents(row.earned[plan]) == expected.get((row.month, plan), 0), row.month
        bought = [
            each
            for each in rows
            if each.kind != LineKind.DOWNGRADE
            and day_start(row.month) <= each.bought_at < min(end, day_start(month_after(row.month)))
        ]
        assert row.voucher == sum((each.voucher_amount for each in bought), ZERO)
        assert row.coupon == sum((each.coupon_amount for each in bought), ZERO)
    for plan in SOLD:
        assert to_cents(revenue.deferred[plan]) == sum(
            deferred_at(each, end) for each in lines if each.line.plan == plan
        )
    assert (revenue.deferred_at, revenue.total > 0, revenue.deferred_total > 0) == (end, True, True)


@pytest.mark.parametrize(("first", "last"), [(LAST, FIRST), (date(2024, 1, 1), date(2026, 1, 1))])
def test_only_so_many_months_are_summed(first, last):
    with scope.staff(), pytest.raises(ValueError, match=f"1 to {MOST_MONTHS} months"):
        revenue_between(first, last, NOW)
