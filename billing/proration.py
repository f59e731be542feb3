"""What things cost, and why: pure rules over figures (domain.md §3). Nothing here reads the database or the clock.

A year is billed as 365 days. Multiply first, divide last, round half-up once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.exceptions import TermNotOffered
from core.clock import add_years
from core.money import CENT, ZERO, quantize

YEAR_DAYS = 365
MONTHS = 12
TERM_YEARS = (1, 2, 3)


@dataclass(frozen=True)
class ExplanationLine:
    """One step of the arithmetic: ``rule`` names it, ``formula`` is written in figures only, ``amount`` is CNY."""

    rule: str
    formula: str
    amount: Decimal

    def as_json(self) -> dict[str, str]:
        """Return the line as an order freezes it."""
        return {"rule": self.rule, "formula": self.formula, "amount": f"{self.amount:.2f}"}


@dataclass(frozen=True)
class Quote:
    """The price of an action in CNY with its arithmetic. ``amount`` is the sum of the explanation's amounts."""

    amount: Decimal
    monthly: Decimal
    years: int
    paid_days: int
    starts: datetime
    ends: datetime
    explanation: tuple[ExplanationLine, ...]


def quote_new(*, monthly: Decimal, years: int, starts: datetime) -> Quote:
    """Return the price of a new term: monthly list price (CNY) × 12 × years (domain.md §2).

    The term ends the same wall-clock time n calendar years later; it counts as 365 × years paid-for days, also where a
    leap day makes it one longer. Raises TermNotOffered for another number of years, ValueError for a price that is not
    money (negative, or with more than two places).
    """
    if isinstance(years, bool) or years not in TERM_YEARS:
        raise TermNotOffered(field="years")
    if not monthly.is_finite() or monthly < ZERO or monthly != monthly.quantize(CENT):
        raise ValueError(f"not a price: {monthly}")
    amount = quantize(monthly * MONTHS * years)
    formula = f"{monthly:.2f} × {MONTHS * years}"
    return Quote(
        amount=amount,
        monthly=quantize(monthly),
        years=years,
        paid_days=YEAR_DAYS * years,
        starts=starts,
        ends=add_years(starts, years),
        explanation=(ExplanationLine("new_term", formula, amount),),
    )
