"""Assurance windows on the weeks of the service desk's calendar."""

from datetime import datetime
from zoneinfo import ZoneInfo

from servicedesk.calendar import LANES, month_weeks
from supportplans.models import AssuranceWindow

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 16, tzinfo=SHANGHAI)
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)


def window(first: tuple[int, int], last: tuple[int, int]) -> AssuranceWindow:
    """Return an unsaved window from a day's start to another day's start."""
    return AssuranceWindow(
        starts=datetime(2026, *first, tzinfo=SHANGHAI), ends=datetime(2026, *last, tzinfo=SHANGHAI)
    )


def test_a_window_across_weeks_is_a_bar_in_each_and_begins_once() -> None:
    weeks = month_weeks(MONDAY, 2, [window((11, 17), (11, 25))], NOW)

    first, second = weeks[0].bars[0], weeks[1].bars[0]
    assert (first.column, first.span, first.begins) == (2, 6, True)
    assert (second.column, second.span, second.begins) == (1, 2, False)
    assert [day.is_today for day in weeks[1].days] == [True] + [False] * 6


def test_windows_share_a_lane_only_when_no_day_is_shared() -> None:
    touching = [window((11, 16), (11, 18)), window((11, 17), (11, 19)), window((11, 18), (11, 20))]
    (week,) = month_weeks(MONDAY, 1, touching, NOW)

    assert [bar.lane for bar in week.bars] == [1, 2, 1]


def test_a_window_that_ends_at_midnight_does_not_touch_the_next_day() -> None:
    (week,) = month_weeks(MONDAY, 1, [window((11, 16), (11, 17))], NOW)

    assert week.bars[0].span == 1


def test_windows_without_a_lane_are_counted() -> None:
    crowd = [window((11, 16), (11, 20)) for _ in range(LANES + 2)]
    (week,) = month_weeks(MONDAY, 1, crowd, NOW)

    assert len(week.bars) == LANES
    assert week.hidden == 2
