"""Money: Decimal CNY, two places, rounded half-up once at the end (domain.md, head and §3)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def quantize(amount: Decimal) -> Decimal:
    """Round ``amount`` (CNY) half-up to cents."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def largest_remainder(total: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Split ``total`` (CNY, two places) in proportion to ``weights``; the parts sum to it exactly.

    Cents left over go to the largest remainders, ties by name (domain.md §3, refunds by method). Names with weight 0
    get 0.00. Raises ValueError when the weights sum to 0 and there is something to split.
    """
    whole = sum(weights.values(), Decimal(0))
    if total == 0:
        return dict.fromkeys(weights, ZERO)
    if whole <= 0:
        raise ValueError("nothing to split by: the weights sum to 0")
    exact = {name: total * weight / whole for name, weight in weights.items()}
    parts = {name: share.quantize(CENT, rounding=ROUND_DOWN) for name, share in exact.items()}
    left = int((total - sum(parts.values())) / CENT)
    ranked = sorted((n for n in weights if weights[n] > 0), key=lambda n: (parts[n] - exact[n], n))
    for name in ranked[:left]:
        parts[name] += CENT
    return parts
