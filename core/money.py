"""Money: Decimal CNY, two places, rounded half-up once at the end (domain.md, head and §3)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def quantize(amount: Decimal) -> Decimal:
    """Round ``amount`` (CNY) half-up to cents."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def to_cents(amount: Decimal) -> int:
    """Return ``amount`` (CNY) as a whole number of cents. Raises ValueError for one that is not money."""
    if not amount.is_finite():
        raise ValueError(f"not an amount: {amount}")
    cents = int(amount * 100)
    if cents != amount * 100:
        raise ValueError(f"more than two places: {amount}")
    return cents


def from_cents(cents: int) -> Decimal:
    """Return a whole number of cents as CNY with two places."""
    return Decimal(cents).scaleb(-2)


def half_up(numerator: int, denominator: int) -> int:
    """Return ``numerator / denominator`` (neither negative) rounded half-up to a whole number."""
    return (2 * numerator + denominator) // (2 * denominator)


def split_cents(
    total: int, weights: Mapping[str, int], caps: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Split ``total`` cents in proportion to ``weights``; the parts sum to it exactly, none exceeds its cap.

    Cents left over go to the largest remainders, ties by name (domain.md §3, refunds by method). Names with weight 0
    get nothing. Raises ValueError when there is something to split and the weights sum to 0, or the caps to less.
    """
    whole = sum(weights.values())
    if total == 0:
        return dict.fromkeys(weights, 0)
    if whole <= 0:
        raise ValueError("nothing to split by: the weights sum to 0")
    room = caps if caps is not None else dict.fromkeys(weights, total)
    parts = {name: min(total * weight // whole, room[name]) for name, weight in weights.items()}
    left = total - sum(parts.values())
    ranked = sorted(
        (name for name, weight in weights.items() if weight > 0),
        key=lambda name: (-(total * weights[name] % whole), name),
    )
    while left > 0:
        open_names = [name for name in ranked if parts[name] < room[name]]
        if not open_names:
            raise ValueError("the caps sum to less than what is to be split")
        for name in open_names[:left]:
            parts[name] += 1
        left -= min(left, len(open_names))
    return parts


def largest_remainder(total: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Split ``total`` (CNY) in proportion to ``weights`` (CNY), as ``split_cents`` does with cents."""
    parts = split_cents(to_cents(total), {name: to_cents(w) for name, w in weights.items()})
    return {name: from_cents(cents) for name, cents in parts.items()}
