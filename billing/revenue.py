"""What was earned, when: cash recognised evenly over the days that it paid for. Pure, in whole cents.

Revenue is the cash of paid lines; vouchers and coupons are none. What is deferred at an instant is a line's unused cash
(domain.md §3), the rest is earned: a day counts once it has begun, as for a refund. A line that was closed has earned
exactly what was neither refunded nor carried over to its replacement; the difference to what was recognised before
falls into the month of the closing. Months are Shanghai's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from billing.paid_lines import Line, cash_cents, remaining_days
from core.clock import day_start, local
from core.money import ZERO, half_up, to_cents

_OVER_A_MONTH = timedelta(days=32)


@dataclass(frozen=True, slots=True)
class Booked:
    """A paid line and how it ended: when it was closed, if it was, and what of its cash was kept then, in CNY."""

    line: Line
    closed_at: datetime | None = None
    settled: Decimal = ZERO


def recognised_until(booked: Booked, at: datetime) -> int:
    """Return the cents that the line has earned before ``at``; what happens at that instant comes after it.

    A line earns from its purchase on: days of it that had passed by then are earned with it.
    """
    line = booked.line
    if line.bought_at >= at:
        return 0
    if booked.closed_at is not None and booked.closed_at < at:
        return to_cents(booked.settled)
    return _cash(line) - _unearned(line, at)


def deferred_at(booked: Booked, at: datetime) -> int:
    """Return the cents that were paid before ``at`` for days still to come."""
    if booked.line.bought_at >= at or (booked.closed_at is not None and booked.closed_at < at):
        return 0
    return _unearned(booked.line, at)


def by_month(lines: Iterable[Booked], until: datetime) -> dict[tuple[date, str], int]:
    """Return the cents earned before ``until`` by the first day of the month and the plan; nothing stands for 0."""
    earned: dict[tuple[date, str], int] = {}
    for booked in lines:
        before = 0
        for month in _months(booked.line.bought_at, until):
            upto = recognised_until(booked, min(day_start(month_after(month)), until))
            if upto != before:
                key = (month, booked.line.plan)
                earned[key] = earned.get(key, 0) + upto - before
            before = upto
    return {key: cents for key, cents in earned.items() if cents}


def month_of(at: datetime) -> date:
    """Return the first day of the Shanghai month that ``at`` lies in."""
    return local(at).date().replace(day=1)


def month_after(month: date) -> date:
    """Return the first day of the month after the one that ``month`` is the first day of."""
    return (month + _OVER_A_MONTH).replace(day=1)


def _months(first: datetime, until: datetime) -> Iterator[date]:
    month = month_of(first)
    while day_start(month) < until:
        yield month
        month = month_after(month)


def _cash(line: Line) -> int:
    return sum(cash_cents(line).values())


def _unearned(line: Line, at: datetime) -> int:
    """Return the line's unused cash, rounded as leaving would refund it."""
    return half_up(_cash(line) * remaining_days(line, at), line.paid_days) if line.paid_days else 0
