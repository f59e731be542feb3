"""Clocks count elapsed time, whatever zone the server lives in, also over a daylight change."""

import os
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from messaging.models import Message
from tests.factories.tickets import submit, subscribe
from tickets.models import Clock, ClockStage
from tickets.selectors.clock_proof import clocks_differing
from tickets.services.replies import reply_add
from tickets.services.sweeps import stages_sweep
from tickets.wording import clock_notes

# Five minutes before the clocks there go forward, go back, and never change.
STARTS = {
    "America/New_York": datetime(2027, 3, 14, 6, 55, tzinfo=UTC),
    "Europe/Berlin": datetime(2026, 10, 25, 0, 55, tzinfo=UTC),
    "Asia/Shanghai": datetime(2026, 11, 23, 15, 55, tzinfo=UTC),
}


@pytest.fixture(params=STARTS)
def zone(request, monkeypatch, as_staff):
    """Put the server's process and Django into another zone (the database's session is UTC by Django's care)."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    with timezone.override(request.param):
        yield request.param
    monkeypatch.undo()
    time.tzset()


def test_targets_and_stages_count_elapsed_time(cast, zone):
    # As a server there would read it: wall-clock time of its own zone.
    start = STARTS[zone].astimezone(ZoneInfo(zone))
    utc = STARTS[zone]
    subscribe(cast.huachen, at=start - timedelta(hours=1))
    ticket = submit(cast.huachen, cast.actor(cast.owner), at=start)
    assert os.environ["TZ"] == zone
    clock = Clock.objects.get()
    assert clock.due_at - utc == timedelta(minutes=10)
    assert [instant - utc for instant in clock.stage_instants] == [
        timedelta(minutes=count) for count in (5, 8, 10, 20)
    ]
    at = (utc + timedelta(minutes=10)).astimezone(ZoneInfo(zone))
    stages_sweep(at=at)
    assert [row.due_at - utc for row in ClockStage.objects.order_by("percent")] == [
        timedelta(minutes=5),
        timedelta(minutes=8),
    ]
    agent = cast.actor(cast.staff["vip_agent"])
    reply_add(ticket_id=ticket.pk, body="好", actor=agent, at=at)
    clock.refresh_from_db()
    assert clock.chip_state(utc + timedelta(hours=5)) == "met"
    assert clocks_differing().differing == {}


def test_what_people_read_is_beijing_time(cast, zone):
    start = STARTS[zone].astimezone(ZoneInfo(zone))
    subscribe(cast.huachen, at=start - timedelta(hours=1))
    submit(cast.huachen, cast.actor(cast.owner), at=start)
    stages_sweep(at=STARTS[zone] + timedelta(minutes=6))
    due = (STARTS[zone] + timedelta(minutes=10)).astimezone(ZoneInfo("Asia/Shanghai"))
    assert (
        Message.objects.get(kind="tickets.stage_passed").context["due"]
        == f"{due:%Y-%m-%d %H:%M:%S}"
    )
    assert clock_notes(Clock.objects.get(), [])[0] == (
        f"应于 {due:%Y-%m-%d %H:%M:%S}（北京时间）前响应"
    )
