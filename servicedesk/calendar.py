"""Lay assurance windows out on a calendar of weeks. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from core.clock import local
from supportplans.models import AssuranceWindow

DAYS = 7


@dataclass
class CalendarDay:
    """A day with the windows that touch it."""

    day: date
    is_today: bool
    windows: list[AssuranceWindow] = field(default_factory=list)


def month_weeks(
    first: datetime, weeks: int, windows: Iterable[AssuranceWindow], at: datetime
) -> list[list[CalendarDay]]:
    """Return ``weeks`` weeks of days from ``first`` (a Monday, Shanghai midnight), each with its windows."""
    today = local(at).date()
    days = [
        CalendarDay(day, day == today)
        for day in (local(first).date() + timedelta(days=n) for n in range(weeks * DAYS))
    ]
    for window in windows:
        starts = local(window.starts).date()
        ends = local(window.ends - timedelta(microseconds=1)).date()
        for cell in days:
            if starts <= cell.day <= ends:
                cell.windows.append(window)
    return [days[n : n + DAYS] for n in range(0, len(days), DAYS)]
