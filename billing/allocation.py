"""Whose money is whose: unused cash of lines, refunds by method, an order's money over its lines (domain.md §3).

Pure, in whole cents. Sums with different denominators are kept as numerators over a common one and rounded once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import lcm

from billing.paid_lines import MONTHS, YEAR_DAYS, Line, cash_cents, remaining_days
from core.money import from_cents, half_up, split_cents, to_cents


@dataclass(frozen=True, slots=True)
class Share:
    """What is left of one line. ``unused`` is its unused cash, ``refund`` what of that is given back, both numerators
    over the common denominator. ``needed`` is the list price of a part that goes on, ``by_voucher`` what the line's
    unused voucher money pays of it."""

    line: Line
    days: int
    unused: int
    refund: int
    needed: int = 0
    by_voucher: int = 0
    is_kept: bool = False
    is_cut: bool = False

    @property
    def by_cash(self) -> int:
        """Return what the line's unused cash pays of a part that goes on."""
        return self.unused - self.refund


def common_denominator(lines: Iterable[Line]) -> int:
    """Return a denominator over which the unused money and the list price of any part of ``lines`` are whole."""
    return lcm(YEAR_DAYS, *(line.paid_days for line in lines if line.paid_days))


def share_closed(line: Line, *, at: datetime, denominator: int) -> Share:
    """Return the share of a line that ends: its unused cash, cash × remaining days / paid-for days, is given back."""
    days = remaining_days(line, at)
    unused = _unused(sum(cash_cents(line).values()), line, days, denominator)
    return Share(line, days, unused, unused)


def share_kept(line: Line, *, at: datetime) -> Share:
    """Return the share of a line that goes on as it is: nothing is given back."""
    return Share(line, remaining_days(line, at), 0, 0, is_kept=True)


def share_cut(line: Line, *, price: int, at: datetime, denominator: int) -> Share:
    """Return the share of a line that goes on below ``price`` (a monthly price in cents).

    The list price of that part for the remaining days is paid first from the line's unused voucher money, then from its
    unused cash; the rest of the cash is given back.
    """
    days = remaining_days(line, at)
    needed = (price - to_cents(line.from_monthly)) * MONTHS * days * (denominator // YEAR_DAYS)
    by_voucher = min(_unused(to_cents(line.voucher), line, days, denominator), needed)
    unused = _unused(sum(cash_cents(line).values()), line, days, denominator)
    refund = max(0, unused - (needed - by_voucher))
    return Share(line, days, unused, refund, needed, by_voucher, is_cut=True)


def round_parts(numerators: Iterable[int], denominator: int) -> tuple[int, list[int]]:
    """Return the sum of fractions rounded half-up once, and a part for each of them: the parts add up to it."""
    total, shown, parts = 0, 0, []
    for numerator in numerators:
        total += numerator
        upto = half_up(total, denominator)
        parts.append(upto - shown)
        shown = upto
    return shown, parts


def refund_by_method(refund: int, shares: Sequence[Share]) -> dict[str, Decimal]:
    """Return ``refund`` (cents) as CNY by method, in the proportion of the unused cash that is given back.

    No method gives back more than it has brought in, also where the rounded sum is more than the exact one.
    """
    if not refund:
        return {}
    wholes = [sum(cash_cents(share.line).values()) for share in shares]
    common = lcm(*(whole for whole in wholes if whole))
    weights: dict[str, int] = {}
    caps: dict[str, int] = {}
    for share, whole in zip(shares, wholes, strict=True):
        if share.refund:
            for method, cents in cash_cents(share.line).items():
                weight = share.refund * cents * (common // whole)
                weights[method] = weights.get(method, 0) + weight
                caps[method] = caps.get(method, 0) + cents
    parts = split_cents(refund, weights, caps)
    return {method: from_cents(cents) for method, cents in sorted(parts.items()) if cents}


def cash_room(lines: Iterable[Line], refund_to: Mapping[str, Decimal]) -> dict[str, int]:
    """Return per method what the cash of lines that end still holds beside their refund, in cents."""
    room: dict[str, int] = {}
    for line in lines:
        for method, cents in cash_cents(line).items():
            room[method] = room.get(method, 0) + cents
    for method, amount in refund_to.items():
        room[method] -= to_cents(amount)
    return room


def cash_carried(line: Line, amount: int, room: dict[str, int]) -> dict[str, Decimal]:
    """Take ``amount`` cents of the line's cash over to the line that replaces it, in proportion to its methods.

    ``room`` (see ``cash_room``) is lowered by it: refund and carried cash never exceed what a method has brought in.
    Where the refund's odd cents have gone to this line's methods, so much less of its cash is carried.
    """
    cash = cash_cents(line)
    caps = {method: min(cents, room[method]) for method, cents in cash.items()}
    parts = split_cents(min(amount, sum(caps.values())), cash, caps)
    for method, cents in parts.items():
        room[method] -= cents
    return {method: from_cents(cents) for method, cents in sorted(parts.items()) if cents}


def spread_funds(
    amounts: Sequence[Decimal], funds: Mapping[str, Decimal]
) -> list[dict[str, Decimal]]:
    """Spread an order's ``funds`` (CNY by name: coupon, voucher, methods) over its lines' list ``amounts`` (CNY).

    Each line's parts sum to its amount and each fund is used up, in proportion, to the cent. Raises ValueError when
    funds and amounts do not sum to the same.
    """
    left = {name: to_cents(amount) for name, amount in funds.items()}
    wanted = [to_cents(amount) for amount in amounts]
    if sum(left.values()) != sum(wanted):
        raise ValueError("the funds are not what the lines cost")
    spread = []
    for amount in wanted:
        parts = split_cents(amount, left, left)
        left = {name: cents - parts[name] for name, cents in left.items()}
        spread.append({name: from_cents(cents) for name, cents in parts.items()})
    return spread


def _unused(cents: int, line: Line, days: int, denominator: int) -> int:
    return cents * days * (denominator // line.paid_days) if line.paid_days else 0
