"""Lay assurance windows out on a calendar of weeks. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from core.clock import local
from supportplans.models import AssuranceWindow

DAYS = 7
# Bars that fit under a day's number; the rest is counted.
LANES = 4


@dataclass(frozen=True)
class CalendarDay:
    """A day of a week."""

    day: date
    is_today: bool


@dataclass(frozen=True)
class CalendarBar:
    """A window's part of one week: ``column`` and ``lane`` count from 1, ``span`` is in days."""

    window: AssuranceWindow
    column: int
    span: int
    lane: int
    begins: bool


@dataclass
class CalendarWeek:
    """Seven days, the bars that cross them, and how many windows found no lane."""

    days: list[CalendarDay]
    bars: list[CalendarBar] = field(default_factory=list)
    hidden: int = 0


def month_weeks(
    first: datetime, weeks: int, windows: Iterable[AssuranceWindow], at: datetime
) -> list[CalendarWeek]:
    """Return ``weeks`` weeks from ``first`` (a Monday, Shanghai midnight), each with its windows as bars."""
    today, start = local(at).date(), local(first).date()
    found = list(windows)
    return [_week(start + timedelta(weeks=n), found, today) for n in range(weeks)]


def _week(monday: date, windows: list[AssuranceWindow], today: date) -> CalendarWeek:
    """Give every window of the week the first lane that is free on its days."""
    days = [monday + timedelta(days=n) for n in range(DAYS)]
    week = CalendarWeek([CalendarDay(day, day == today) for day in days])
    taken: list[set[date]] = [set() for _ in range(LANES)]
    for window in windows:
        starts = local(window.starts).date()
        ends = local(window.ends - timedelta(microseconds=1)).date()
        touched = [day for day in days if starts <= day <= ends]
        if not touched:
            continue
        lane = next((n for n, busy in enumerate(taken) if busy.isdisjoint(touched)), None)
        if lane is None:
            week.hidden += 1
            continue
        taken[lane].update(touched)
        column = days.index(touched[0]) + 1
        week.bars.append(
            CalendarBar(window, column, len(touched), lane + 1, begins=touched[0] == starts)
        )
    return week
