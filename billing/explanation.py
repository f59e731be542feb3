"""The arithmetic behind a price, as it is shown: rules by name, formulas in figures only, amounts that add up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.allocation import Share, round_parts
from billing.paid_lines import MONTHS, YEAR_DAYS, Line, cash_cents
from core.money import from_cents, half_up, to_cents


@dataclass(frozen=True, slots=True)
class ExplanationLine:
    """One step of the arithmetic: ``rule`` names it, ``formula`` is written in figures only, ``amount`` is CNY."""

    rule: str
    formula: str
    amount: Decimal

    def as_json(self) -> dict[str, str]:
        """Return the line as an order freezes it."""
        return {"rule": self.rule, "formula": self.formula, "amount": f"{self.amount:.2f}"}


def explain_term(rule: str, line: Line, years: int) -> tuple[ExplanationLine, ...]:
    """Return the price of a whole term: monthly price × months."""
    formula = f"{line.monthly:.2f} × {MONTHS * years}"
    return (ExplanationLine(rule, formula, line.list_amount),)


def explain_upgrade(
    tops: Sequence[Line], days: Sequence[int], monthly: Decimal, parts: Sequence[int]
) -> tuple[ExplanationLine, ...]:
    """Return, for each term, what the new plan needs minus what is left of the old one.

    ``parts`` are the charges per term in cents. What the new plan needs is rounded; the other shown part is the rest.
    """
    new = MONTHS * to_cents(monthly)
    _total, needed = round_parts((new * left for left in days), YEAR_DAYS)
    shown = []
    for top, left, need, part in zip(tops, days, needed, parts, strict=True):
        old = MONTHS * to_cents(top.monthly)
        shown += [
            ExplanationLine("new_plan_needed", _yearly(new, left), from_cents(need)),
            ExplanationLine("old_plan_left", _yearly(old, left), from_cents(part - need)),
        ]
    return tuple(shown)


def explain_unused(shares: Sequence[Share], parts: Sequence[int]) -> tuple[ExplanationLine, ...]:
    """Return the unused cash of each line, and what is left of its vouchers' money, which is not given back.

    ``parts`` are the refunds per line in cents.
    """
    shown = []
    for share, part in zip(shares, parts, strict=True):
        shown.append(ExplanationLine("unused", _unused(share), from_cents(part)))
        shown += _spent(share)
    return tuple(shown)


def explain_downgrade(
    shares: Sequence[Share], parts: Sequence[int], monthly: Decimal, denominator: int
) -> tuple[ExplanationLine, ...]:
    """Return, for each line, what is left of it minus what the new plan needs of that; lines that stay are named.

    What is left of a line that is cut is its cash and, in a step of its own, what its vouchers pay of the new plan.
    ``parts`` are the refunds per line in cents, ``monthly`` the new plan's price. What is left is rounded; the last
    shown part is the rest.
    """
    shown = []
    for share, part in zip(shares, parts, strict=True):
        left = half_up(share.unused, denominator) if share.needed else part
        if share.is_kept:
            shown.append(ExplanationLine("line_kept", "", from_cents(0)))
            continue
        shown.append(ExplanationLine("unused", _unused(share), from_cents(left)))
        if not share.needed:
            shown += _spent(share)
            continue
        if by_voucher := half_up(share.by_voucher, denominator):
            formula = _part_of(share, to_cents(share.line.voucher))
            shown.append(ExplanationLine("voucher_used", formula, from_cents(by_voucher)))
        below = MONTHS * (to_cents(monthly) - to_cents(share.line.from_monthly))
        needed = from_cents(part - left - by_voucher)
        shown.append(ExplanationLine("new_plan_needed", _yearly(below, share.days), needed))
    return tuple(shown)


def _spent(share: Share) -> list[ExplanationLine]:
    """Return the step that says why money of vouchers is not given back, where they paid a part of the line."""
    voucher = to_cents(share.line.voucher)
    formula = _part_of(share, voucher)
    return [ExplanationLine("voucher_spent", formula, from_cents(0))] if voucher else []


def _yearly(yearly_cents: int, days: int) -> str:
    return f"{from_cents(yearly_cents):.2f} × {days} ÷ {YEAR_DAYS}"


def _unused(share: Share) -> str:
    return _part_of(share, sum(cash_cents(share.line).values()))


def _part_of(share: Share, cents: int) -> str:
    return f"{from_cents(cents):.2f} × {share.days} ÷ {share.line.paid_days}"
