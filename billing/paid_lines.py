"""Paid lines as the pricing rules see them: what was bought, for which days, with what money (domain.md §2 and §3).

Pure: nothing here reads the database or the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from core.clock import add_years
from core.money import ZERO, to_cents

YEAR_DAYS = 365
MONTHS = 12
_MOST_YEARS = 100
PLAN_RANKS = {"standard": 0, "lite": 1, "business": 2, "enterprise": 3}


@dataclass(frozen=True, slots=True)
class Line:
    """One immutable line of what was bought: the prices ``from_monthly`` → ``monthly`` over its days.

    Amounts in CNY, two places; ``cash`` per payment method; ``list_amount = coupon + voucher + cash``. ``bought`` is
    the instant at which its order was completed. ``anchor`` is where calendar years are counted from, when that is not
    the start of the first purchase. ``changed`` says that the plan was changed or renewed since. ``key`` is the
    caller's own name of the line.
    """

    plan: str
    monthly: Decimal
    starts: datetime
    ends: datetime
    paid_days: int
    list_amount: Decimal
    from_monthly: Decimal = ZERO
    coupon: Decimal = ZERO
    voucher: Decimal = ZERO
    cash: Mapping[str, Decimal] = field(default_factory=dict)
    kind: str = "purchase"
    bought: datetime | None = None
    anchor: datetime | None = None
    changed: bool = False
    key: int | None = None

    @property
    def bought_at(self) -> datetime:
        """Return the instant of purchase: a line that does not say was bought when it started."""
        return self.bought or self.starts


def remaining_days(line: Line, at: datetime) -> int:
    """Return the full days of 24 hours that are left of ``line`` at ``at``, at most its paid-for days, 0 after its end.

    Elapsed time, not calendar dates (domain.md §3).
    """
    left = line.ends - (at if at > line.starts else line.starts)
    return min(left.days, line.paid_days) if left.days > 0 else 0


def cash_cents(line: Line) -> dict[str, int]:
    """Return the line's cash per method, in cents."""
    return {method: to_cents(amount) for method, amount in line.cash.items()}


def live_lines(lines: Iterable[Line], at: datetime) -> list[Line]:
    """Return the lines of terms that run or are still to come, the earliest end first, then as they were bought.

    Of lines that were bought at one instant the higher level came later: nothing is bought on top of a downgrade's rest
    but an upgrade.
    """
    live = [line for line in lines if line.ends > at]
    live.sort(
        key=lambda line: (line.ends, line.bought_at, PLAN_RANKS[line.plan], line.from_monthly)
    )
    return live


def top_lines(live: Sequence[Line]) -> list[Line]:
    """Return the line in force of each term, the running one first: the one that was bought last.

    Lines of one term share its end. ``live`` is in the order of ``live_lines``.
    """
    return list({line.ends: line for line in live}.values())


def under_plan(live: Sequence[Line], plan: str) -> list[Line]:
    """Return lines that a downgrade to ``plan`` has left: none is named higher, the ones in force have its name.

    A line that was kept keeps its prices. ``live`` is in the order of ``live_lines``.
    """
    tops = {id(line) for line in top_lines(live)}
    return [
        replace(line, plan=plan)
        if id(line) in tops or PLAN_RANKS[line.plan] > PLAN_RANKS[plan]
        else line
        for line in live
    ]


def anchor_of(live: Sequence[Line], lines: Iterable[Line] = ()) -> datetime:
    """Return where the calendar years of lines are counted from: the start of the first purchase.

    ``live`` is in the order of ``live_lines``. Where its purchase is over, it is looked for among all ``lines``: term
    follows term from the purchase on.
    """
    known = [line.anchor for line in live if line.anchor is not None]
    if known:
        return min(known)
    first = min(live, key=lambda line: line.starts)
    ended = sorted(lines, key=lambda line: line.starts, reverse=True)
    by_end = {line.ends: line for line in ended}  # of one term, the line that starts first
    while first.anchor is None and first.kind != "purchase" and first.starts in by_end:
        first = by_end[first.starts]
    return first.anchor or first.starts


def term_end(*, anchor: datetime, last_end: datetime, years: int) -> datetime:
    """Return the end of a term of ``years`` calendar years that follows ``last_end``, counted from ``anchor``.

    Counted from the anchor, a 29 February finds back to itself (domain.md §2). Where ``last_end`` lies no whole number
    of years after the anchor, years count from it.
    """
    past = last_end.year - anchor.year
    for passed in (past - 1, past, past + 1):
        if 0 <= passed <= _MOST_YEARS and add_years(anchor, passed) == last_end:
            return add_years(anchor, passed + years)
    return add_years(last_end, years)
