"""Calendar years in Shanghai time (domain.md §2)."""

from datetime import UTC, datetime

import pytest

from core.clock import SHANGHAI, add_years, local


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("anchor", "years", "end"),
    [
        (shanghai(2023, 12, 7, 11, 8, 36), 1, shanghai(2024, 12, 7, 11, 8, 36)),
        (shanghai(2024, 2, 29, 9), 1, shanghai(2025, 2, 28, 9)),
        (shanghai(2024, 2, 29, 9), 4, shanghai(2028, 2, 29, 9)),
        (shanghai(2023, 2, 28, 9), 1, shanghai(2024, 2, 28, 9)),
    ],
)
def test_a_term_ends_at_the_same_wall_clock_time(anchor, years, end):
    assert add_years(anchor, years) == end


def test_the_calendar_day_is_shanghais_not_the_servers():
    anchor = datetime(2024, 2, 28, 16, 30, tzinfo=UTC)  # already the 29th in Shanghai

    assert add_years(anchor, 1) == shanghai(2025, 2, 28, 0, 30)
    assert local(anchor).day == 29
