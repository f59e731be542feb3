"""Months and working days of the monthly report. Pure (domain.md §8)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import chinese_calendar

from core.clock import SHANGHAI, local

DUE_WORKING_DAY = 15
SATURDAY = 5


def month_start(at: datetime) -> datetime:
    """Return the first instant of the Shanghai month that ``at`` lies in."""
    return local(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_before(start: datetime) -> datetime:
    """Return the first instant of the month before the one that begins at ``start``."""
    return month_start(start - timedelta(days=1))


def month_after(start: datetime) -> datetime:
    """Return the first instant of the month after the one that begins at ``start``."""
    return month_start(start + timedelta(days=32))


def is_working_day(day: date) -> bool:
    """Return True on working days of the statutory calendar, with its swapped days.

    For years whose calendar is not published yet Monday to Friday count.
    """
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < SATURDAY


def report_due(start: datetime) -> datetime:
    """Return the instant before which the report about the month beginning at ``start`` is sent.

    It is 00:00 of the 15th working day of the following month, Shanghai time.
    """
    day = month_after(start).date()
    counted = int(is_working_day(day))
    while counted < DUE_WORKING_DAY:
        day += timedelta(days=1)
        counted += is_working_day(day)
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
