"""Pay what a quote charges, so that actions can be chained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from billing.allocation import spread_funds
from billing.paid_lines import Line
from billing.quotes import Quote


def paid(quote: Quote, funds: Mapping[str, Decimal] | None = None) -> list[Line]:
    """Return the lines after ``quote``; new ones that are charged are paid from ``funds`` (default: the balance)."""
    if quote.action == "downgrade":
        return list(quote.lines)
    spread = spread_funds(
        [line.list_amount for line in quote.added], funds or {"balance": quote.charge}
    )
    payments = iter(spread)
    lines = []
    for line in quote.lines:
        if line in quote.added:
            parts = next(payments)
            cash = {m: a for m, a in parts.items() if m not in {"coupon", "voucher"} and a}
            lines.append(
                replace(
                    line,
                    coupon=parts.get("coupon", Decimal("0.00")),
                    voucher=parts.get("voucher", Decimal("0.00")),
                    cash=cash,
                )
            )
        else:
            lines.append(line)
    return lines
