"""The one clock of the portal. Business rules use Shanghai time (domain.md, head).

In demo mode an operator can move the clock forward: terms end, windows open, stages pass. The offset stands in the
shared cache, so that web, worker and beat agree; production settings refuse demo mode.
"""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from core.exceptions import DomainError

SHANGHAI = ZoneInfo("Asia/Shanghai")
_OFFSET_KEY = "clock:offset-seconds"
_REREAD_SECONDS = 0.5
_memo = (0.0, timedelta(0))


class ClockNotMovable(DomainError):
    """Only a demo's clock can be moved, and only forward."""

    code = "clock_not_movable"


def now() -> datetime:
    """Return the portal's current instant, aware. Read once per operation and handed down as ``at``."""
    return timezone.now() + offset()


def offset() -> timedelta:
    """Return how far the demo's clock runs ahead; zero outside demo mode."""
    global _memo  # noqa: PLW0603  (one small memo per process, re-read twice a second)
    if not settings.DEMO_MODE:
        return timedelta(0)
    read_at, value = _memo
    if time.monotonic() - read_at > _REREAD_SECONDS:
        value = timedelta(seconds=cache.get(_OFFSET_KEY, 0))
        _memo = (time.monotonic(), value)
    return value


def advance(by: timedelta) -> datetime:
    """Move the demo's clock forward and return the new instant. Raises ClockNotMovable."""
    if not settings.DEMO_MODE:
        raise ClockNotMovable("only a demo's clock can be moved")
    if by <= timedelta(0):
        raise ClockNotMovable("the clock moves forward only")
    cache.set(_OFFSET_KEY, cache.get(_OFFSET_KEY, 0) + by.total_seconds(), timeout=None)
    forget()
    return now()


def reset() -> None:
    """Put the demo's clock back to real time (a fresh demo)."""
    cache.delete(_OFFSET_KEY)
    forget()


def forget() -> None:
    """Drop this process's memo of the offset."""
    global _memo  # noqa: PLW0603
    _memo = (0.0, timedelta(0))


def local(at: datetime) -> datetime:
    """Return ``at`` in Shanghai time."""
    return at.astimezone(SHANGHAI)


def day_start(day: date) -> datetime:
    """Return the first instant of a day of Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def add_years(anchor: datetime, years: int) -> datetime:
    """Return the same wall-clock time ``years`` calendar years after ``anchor``, in Shanghai time.

    29 February becomes 28 February where the year has none; counted from the original anchor it returns to the 29th
    (domain.md §2).
    """
    wall = local(anchor)
    try:
        return wall.replace(year=wall.year + years)
    except ValueError:
        return wall.replace(year=wall.year + years, day=28)
