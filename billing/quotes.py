"""The answer to what an action costs or gives back, and what every question about a price must satisfy. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from billing import exceptions as errors
from billing.explanation import ExplanationLine
from billing.paid_lines import PLAN_RANKS, Line, live_lines
from core.money import CENT, ZERO, to_cents

# Defaults of figures that operators can change (``supportplans.figures``).
LONGEST_TERM = 3  # years
FREE_RETURN_WITHIN = timedelta(days=7)
FREE_RETURNS = 3


@dataclass(frozen=True, slots=True)
class Closing:
    """A line that ends, what of its cash is given back, and what the line that replaces it carries on, in CNY."""

    line: Line
    refunded: Decimal
    carried: Decimal = ZERO

    @property
    def kept(self) -> Decimal:
        """Return what has been earned with the line: the rest of its cash."""
        return sum(self.line.cash.values(), ZERO) - self.refunded - self.carried


@dataclass(frozen=True, slots=True)
class Quote:
    """What an action costs or gives back in CNY, with its arithmetic.

    The explanation's amounts sum to the charge, or to the refund. ``days`` are the days that are paid for, or that
    are left. ``lines`` are the lines in force afterwards; of these ``added`` are new. ``closings`` are those that end.
    New lines of a charge carry list amounts only: who pays with what is decided at the checkout. ``voucher_back`` and
    ``coupon_back`` are given back beside the money, with a free return.
    """

    action: str
    plan: str
    charge: Decimal
    refund: Decimal
    days: int
    explanation: tuple[ExplanationLine, ...]
    lines: tuple[Line, ...]
    added: tuple[Line, ...] = ()
    closings: tuple[Closing, ...] = ()
    refund_to: Mapping[str, Decimal] = field(default_factory=dict)
    voucher_back: Decimal = ZERO
    coupon_back: Decimal = ZERO
    is_free_return: bool = False

    @property
    def term(self) -> Line:
        """Return the new term of a purchase or a renewal."""
        return self.added[0]

    @property
    def closed(self) -> tuple[Line, ...]:
        """Return the lines that end."""
        return tuple(closing.line for closing in self.closings)


def must_be_for_sale(plan: str) -> None:
    """Raise PlanNotForSale for standard service and for codes that do not exist."""
    if PLAN_RANKS.get(plan, 0) == 0:
        raise errors.PlanNotForSale(field="plan")


def must_be_offered(years: int, longest: int) -> int:
    """Return ``years``. Raises TermNotOffered for a term that is not 1 to ``longest`` years."""
    if isinstance(years, bool) or not 1 <= years <= longest:
        raise errors.TermNotOffered(longest)
    return years


def must_run(lines: Iterable[Line], at: datetime) -> list[Line]:
    """Return the lines of terms that run or are to come (see ``live_lines``). Raises NothingRuns."""
    live = live_lines(lines, at)
    if not live:
        raise errors.NothingRuns
    return live


def price_cents(monthly: Decimal) -> int:
    """Return a monthly price in cents. Raises ValueError for one that is not money."""
    if not monthly.is_finite() or monthly < ZERO or monthly != monthly.quantize(CENT):
        raise ValueError(f"not a price: {monthly}")
    return to_cents(monthly)
