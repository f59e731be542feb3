"""Months and the fifteenth working day (domain.md §8)."""

from datetime import date, datetime

import pytest

from core.clock import SHANGHAI
from reports.months import is_working_day, month_after, month_before, month_start, report_due


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)


def test_months_follow_each_other_over_the_year():
    january = shanghai(2026, 1, 1)
    assert month_before(january) == shanghai(2025, 12, 1)
    assert month_after(shanghai(2025, 12, 1)) == january
    assert month_start(shanghai(2026, 1, 31, 23, 59)) == january


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2025, 10, 1), False),  # National Day
        (date(2025, 9, 28), True),  # a Sunday that was swapped
        (date(2025, 10, 11), True),  # a Saturday that was swapped
        (date(2025, 11, 8), False),  # a plain Saturday
        (date(2099, 1, 5), True),  # no calendar yet: a Monday
    ],
)
def test_working_days_are_the_statutory_ones(day, works):
    assert is_working_day(day) is works


def test_the_report_is_due_before_the_fifteenth_working_day():
    # October 2025 works on 9, 10, 11, 13–17, 20–24, 27, 28: the fifteenth is the 28th.
    assert report_due(shanghai(2025, 9, 1)) == shanghai(2025, 10, 28)
