"""Paid lines as the pricing rules see them: what was bought, for which days, with what money (domain.md §2 and §3).

Pure: nothing here reads the database or the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from core.clock import add_years
from core.money import ZERO, to_cents

YEAR_DAYS = 365
MONTHS = 12
_MOST_YEARS = 100


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
    """Return the lines of terms that run or are still to come, the earliest end first, then as they were bought."""
    live = [line for line in lines if line.ends > at]
    live.sort(key=lambda line: (line.ends, line.bought_at))
    return live


def top_lines(live: Sequence[Line]) -> list[Line]:
    """Return the line in force of each term, the running one first: the one that was bought last.

    Lines of one term share its end. ``live`` is in the order of ``live_lines``.
    """
    return list({line.ends: line for line in live}.values())


def anchor_of(lines: Iterable[Line]) -> datetime:
    """Return where the calendar years of these lines are counted from: the start of the first purchase."""
    ordered = sorted(lines, key=lambda line: line.anchor or line.starts)
    firsts = [line for line in ordered if line.anchor or line.kind == "purchase"] or ordered
    return firsts[0].anchor or firsts[0].starts


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
