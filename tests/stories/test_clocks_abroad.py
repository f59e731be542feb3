"""A browser elsewhere, with a wrong clock, over the end of its daylight saving time: chips count the server's time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.stories.test_one_customer import sign_in, submit_urgent

pytestmark = pytest.mark.story
# New York turns its clocks back at 06:00 UTC; this browser is weeks behind as well.
BEFORE_THE_CHANGE = datetime(2026, 11, 1, 5, 58, 30, tzinfo=UTC)
SKIPPED_SECONDS = 180
TOLERANCE_SECONDS = 8  # what the test itself takes between two readings on a crowded machine


def left(page, selector):
    minutes, seconds = page.locator(selector).first.inner_text().strip().lstrip("+").split(":")[-2:]
    return int(minutes) * 60 + int(seconds)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai"])
def test_a_chip_counts_elapsed_time(visitor, zone):
    page = sign_in(visitor(timezone_id=zone), "owner@huachen.example")
    submit_urgent(page, f"时区 {zone}")
    page.route(
        "**/live/**", lambda route: route.fulfill(status=204)
    )  # nothing corrects the time meanwhile
    page.clock.install(time=BEFORE_THE_CHANGE)
    page.reload()
    chip = ".promise [data-deadline]"
    deadline = datetime.fromisoformat(page.locator(chip).get_attribute("data-deadline"))
    # The portal's own time: another story may have moved the demo's clock.
    told = datetime.fromisoformat(page.locator("body").get_attribute("data-now"))
    page.clock.run_for(1000)
    shown = left(page, chip)
    assert abs(shown - (deadline - told).total_seconds()) <= TOLERANCE_SECONDS
    hour = page.evaluate("new Date().getTimezoneOffset()")
    page.clock.run_for(SKIPPED_SECONDS * 1000)
    changed = page.evaluate("new Date().getTimezoneOffset()") - hour
    assert changed == (60 if zone == "America/New_York" else 0)
    assert abs(shown - left(page, chip) - SKIPPED_SECONDS) <= TOLERANCE_SECONDS
