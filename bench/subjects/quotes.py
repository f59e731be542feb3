"""One question of each kind to the pricing rules, and the bare arithmetic of their answers.

Pure: no database, no settings. The plans are the guide's, the lines have every kind of money in them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from billing.paid_lines import Line
from billing.proration import (
    quote_downgrade,
    quote_new,
    quote_renewal,
    quote_unsubscription,
    quote_upgrade,
)
from core.clock import SHANGHAI
from core.money import quantize

LITE, BUSINESS, ENTERPRISE = Decimal("500.00"), Decimal("25000.00"), Decimal("60000.00")
BOUGHT = datetime(2026, 3, 1, 10, 0, tzinfo=SHANGHAI)
AT = BOUGHT + timedelta(days=100, hours=5)
VOUCHER, COUPON, BY_BALANCE = Decimal("2000.00"), Decimal("1000.00"), Decimal("17000.00")


def _bought() -> Line:
    """Return a year of 商务级, paid with a coupon, a voucher, the balance and at the cashier."""
    term = quote_new(plan="business", monthly=BUSINESS, years=1, at=BOUGHT).term
    cash = {
        "balance": BY_BALANCE,
        "alipay": term.list_amount - VOUCHER - COUPON - BY_BALANCE,
    }
    return replace(term, voucher=VOUCHER, coupon=COUPON, cash=cash)


def _renewed(line: Line) -> list[Line]:
    """Return the year and the one that follows it."""
    quote = quote_renewal(lines=[line], monthly=BUSINESS, years=1, at=BOUGHT + timedelta(days=30))
    return [quote.lines[0], replace(quote.term, cash={"transfer": quote.charge})]


def _raised() -> list[Line]:
    """Return a year of 轻量级 that has gone up to 企业级 after ten days: a downgrade to 商务级 cuts the second line."""
    term = quote_new(plan="lite", monthly=LITE, years=1, at=BOUGHT).term
    line = replace(term, cash={"balance": term.list_amount})
    up = quote_upgrade(
        lines=[line], plan="enterprise", monthly=ENTERPRISE, at=BOUGHT + timedelta(days=10)
    )
    cash = {"alipay": up.charge - VOUCHER}
    return [up.lines[0], replace(up.added[0], voucher=VOUCHER, cash=cash)]


ONE = [_bought()]
TWO = _renewed(ONE[0])
RAISED = _raised()
QUESTIONS = (
    partial(quote_new, plan="business", monthly=BUSINESS, years=1, at=AT),
    partial(quote_renewal, lines=ONE, monthly=BUSINESS, years=1, at=AT),
    partial(quote_upgrade, lines=TWO, plan="enterprise", monthly=ENTERPRISE, at=AT),
    partial(quote_downgrade, lines=RAISED, plan="business", monthly=BUSINESS, at=AT),
    partial(quote_unsubscription, lines=TWO, at=AT),
)


def quote_all() -> None:
    """Ask all of ``QUESTIONS``."""
    for ask in QUESTIONS:
        ask()


def bare_amounts() -> list[Decimal]:
    """Return the amounts of the answers by the formulas alone: nothing is checked, explained or attributed to lines."""
    up = sum(_days(line) * (ENTERPRISE - line.monthly) * 12 for line in TWO)
    high = RAISED[1]
    needed = _days(high) * (BUSINESS - high.from_monthly) * 12 / 365
    back = sum(map(_unused, TWO))
    return [
        quantize(BUSINESS * 12),
        quantize(BUSINESS * 12),
        quantize(Decimal(up) / 365),
        quantize(_unused(high) - (needed - high.voucher * _days(high) / high.paid_days)),
        quantize(Decimal(back)),
    ]


def _days(line: Line) -> int:
    return min((line.ends - max(AT, line.starts)).days, line.paid_days)


def _unused(line: Line) -> Decimal:
    return sum(line.cash.values(), Decimal()) * _days(line) / line.paid_days
