"""Revenue by month and plan, summed by the database as ``billing.revenue`` does. Runs in staff's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from billing.revenue import month_after
from core.clock import day_start
from core.money import ZERO, from_cents
from supportplans.models import Plan
from supportplans.states import LineKind, PlanCode

MOST_MONTHS = 24
SOLD = tuple(code.value for code in PlanCode if code != PlanCode.STANDARD)

# At each of the instants: what all lines of a plan had earned before it, what was deferred, which vouchers and coupons
# had paid for them. A line that had earned everything before the first instant changes no month and is left out.
_SUMS = """
WITH line AS MATERIALIZED (
    SELECT line.plan_id, line.kind, line.starts, line.ends, line.bought_at, line.paid_days, line.closed_at,
           (line.settled_amount * 100)::bigint AS settled, line.voucher_amount, line.coupon_amount,
           (SELECT coalesce(sum(part.value::numeric) * 100, 0)::bigint
              FROM jsonb_each_text(line.cash) AS part) AS cash
      FROM supportplans_paidline AS line
     WHERE line.bought_at < %(last)s AND coalesce(line.closed_at, 'infinity') >= %(first)s
       AND (line.ends > %(first)s OR line.bought_at >= %(first)s OR line.closed_at IS NOT NULL)
), known AS (
    SELECT instant.at, line.plan_id, line.cash, line.settled,
           coalesce(line.closed_at < instant.at, false) AS is_closed,
           CASE WHEN line.kind = %(below)s THEN 0 ELSE line.voucher_amount END AS voucher,
           CASE WHEN line.kind = %(below)s THEN 0 ELSE line.coupon_amount END AS coupon,
           greatest(0, least(line.paid_days, floor(
               extract(epoch FROM line.ends - greatest(instant.at, line.starts)) / 86400)))::bigint AS days,
           nullif(line.paid_days, 0)::bigint AS paid_days
      FROM unnest(%(instants)s::timestamptz[]) AS instant (at)
      JOIN line ON line.bought_at < instant.at
), rounded AS (
    SELECT known.*, CASE WHEN is_closed THEN 0 ELSE
               coalesce((2 * cash * days + paid_days) / (2 * paid_days), 0) END AS deferred
      FROM known
)
SELECT plan.id, plan.code, rounded.at,
       sum(CASE WHEN is_closed THEN settled ELSE cash - deferred END)::bigint AS earned,
       sum(deferred)::bigint AS deferred, sum(voucher) AS voucher, sum(coupon) AS coupon
  FROM rounded
  JOIN supportplans_plan AS plan ON plan.id = rounded.plan_id
 GROUP BY plan.id, plan.code, rounded.at
"""


@dataclass(frozen=True, slots=True)
class MonthRevenue:
    """One month of Shanghai, in CNY: earned by plan, and the vouchers and coupons of what was bought in it."""

    month: date
    earned: dict[str, Decimal]
    voucher: Decimal
    coupon: Decimal

    @property
    def total(self) -> Decimal:
        """Return what was earned with all plans."""
        return sum(self.earned.values(), ZERO)


@dataclass(frozen=True, slots=True)
class Revenue:
    """Months, the oldest first, and what is deferred by plan at their end or at the present instant, in CNY."""

    months: list[MonthRevenue]
    deferred: dict[str, Decimal]
    deferred_at: datetime

    @property
    def earned(self) -> dict[str, Decimal]:
        """Return what was earned in all months by plan."""
        return {plan: sum((row.earned[plan] for row in self.months), ZERO) for plan in SOLD}

    @property
    def total(self) -> Decimal:
        """Return what was earned in all months with all plans."""
        return sum(self.earned.values(), ZERO)

    @property
    def voucher(self) -> Decimal:
        """Return the vouchers of all months."""
        return sum((row.voucher for row in self.months), ZERO)

    @property
    def coupon(self) -> Decimal:
        """Return the coupons of all months."""
        return sum((row.coupon for row in self.months), ZERO)

    @property
    def deferred_total(self) -> Decimal:
        """Return what is deferred with all plans."""
        return sum(self.deferred.values(), ZERO)


@dataclass(frozen=True, slots=True)
class _Sums:
    earned: int = 0
    deferred: int = 0
    voucher: Decimal = ZERO
    coupon: Decimal = ZERO


def revenue_between(first: date, last: date, at: datetime) -> Revenue:
    """Return what was earned from the month ``first`` to ``last`` (their first days), of the present one before ``at``.

    Raises ValueError for no month, or more than ``MOST_MONTHS``. One query.
    """
    months = [first]
    while months[-1] < last and len(months) <= MOST_MONTHS:
        months.append(month_after(months[-1]))
    if first > last or len(months) > MOST_MONTHS:
        raise ValueError(f"from 1 to {MOST_MONTHS} months, not {first} to {last}")
    instants = [min(day_start(day), at) for day in (*months, month_after(last))]
    sums = _sums_at(instants)
    rows = []
    for month, begins, ends in zip(months, instants, instants[1:], strict=False):
        before = {plan: sums.get((begins, plan), _Sums()) for plan in SOLD}
        after = {plan: sums.get((ends, plan), _Sums()) for plan in SOLD}
        rows.append(
            MonthRevenue(
                month,
                earned={p: from_cents(after[p].earned - before[p].earned) for p in SOLD},
                voucher=sum((after[p].voucher - before[p].voucher for p in SOLD), ZERO),
                coupon=sum((after[p].coupon - before[p].coupon for p in SOLD), ZERO),
            )
        )
    end = instants[-1]
    deferred = {plan: from_cents(sums.get((end, plan), _Sums()).deferred) for plan in SOLD}
    return Revenue(rows, deferred, end)


def _sums_at(instants: Sequence[datetime]) -> dict[tuple[datetime, str], _Sums]:
    asked = {
        "instants": sorted(set(instants)),
        "first": min(instants),
        "last": max(instants),
        "below": LineKind.DOWNGRADE.value,
    }
    rows = [vars(plan) for plan in Plan.objects.raw(_SUMS, asked)]
    return {
        (row["at"], row["code"]): _Sums(
            row["earned"], row["deferred"], row["voucher"], row["coupon"]
        )
        for row in rows
    }
