"""Every rule of domain.md §5 about clocks, with exact instants."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets import sla

START = datetime(2026, 11, 23, 10, 2, 11, tzinfo=ZoneInfo("Asia/Shanghai"))
DUE = START + timedelta(minutes=10)
STAGES = (50, 80, 100, 200)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


INSTANTS = sla.stage_instants(STAGES, start=START, due=DUE)


def test_due_is_the_target_after_the_start():
    assert sla.due_instant(START, 10) == DUE


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        (
            "Europe/Berlin",
            datetime(2026, 10, 25, 0, 55, tzinfo=UTC),
        ),  # goes back five minutes later
        ("America/New_York", datetime(2027, 3, 14, 6, 55, tzinfo=UTC)),  # goes forward
    ],
)
def test_due_and_stages_count_elapsed_time_over_a_daylight_change(zone, start):
    there = start.astimezone(ZoneInfo(zone))
    due = sla.due_instant(there, 10)
    assert due - start == timedelta(minutes=10)
    stages = sla.stage_instants(STAGES, start=there, due=due.astimezone(ZoneInfo(zone)))
    assert [stage - start for stage in stages] == [timedelta(minutes=m) for m in (5, 8, 10, 20)]
    change = sla.retarget(
        start=there, due=start + timedelta(hours=1), new_target_minutes=1, changed=there
    )
    assert change.due_at - start == timedelta(minutes=5)


@pytest.mark.parametrize(("percent", "minutes"), [(50, 5), (80, 8), (100, 10), (200, 20)])
def test_stages_lie_at_their_share_of_the_way(percent, minutes):
    assert sla.stage_instant(percent, start=START, due=DUE) == at(minutes)


def test_a_stage_before_the_change_fires_at_the_change():
    due = START + timedelta(minutes=60)
    before = sla.stage_instants(STAGES, start=START, due=due)
    moved = sla.stage_instants_moved(STAGES, before, start=START, due=DUE, changed=at(7))
    assert moved == [at(7), at(8), at(10), at(20)]  # 50 % of the new target would lie at minute 5


def test_a_stage_that_was_passed_before_the_change_stays_where_it_was():
    before = sla.stage_instants(STAGES, start=START, due=START + timedelta(minutes=60))
    moved = sla.stage_instants_moved(STAGES, before, start=START, due=at(45), changed=at(40))
    assert moved == [at(30), at(40), at(45), at(90)]
    # Again at minute 42: what fired at minute 40 does not fire a second time.
    again = sla.stage_instants_moved(STAGES, moved, start=START, due=at(43), changed=at(42))
    assert again == [at(30), at(40), at(43), at(86)]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (4, []),
        (5, []),  # at the stage's own instant the clock may still be answered on time
        (5.01, [50]),
        (8.01, [50, 80]),
        (10, [50, 80]),
        (10.01, [50, 80, 100]),
        (20.01, [50, 80, 100, 200]),
    ],
)
def test_stages_pass_after_their_instant(minutes, expected):
    passed = sla.stages_passed(STAGES, INSTANTS, passed=0, until=at(minutes))
    assert [percent for percent, _ in passed] == expected


def test_recorded_stages_do_not_pass_again():
    assert sla.stages_passed(STAGES, INSTANTS, passed=80, until=at(21)) == [
        (100, at(10)),
        (200, at(20)),
    ]
    assert sla.next_stage(STAGES, INSTANTS, passed=80) == at(10)
    assert sla.next_stage(STAGES, INSTANTS, passed=200) is None


def test_after_the_answer_only_stages_before_it_are_left_to_record():
    assert sla.next_stage(STAGES, INSTANTS, passed=0, stopped=at(6)) == at(5)
    assert sla.next_stage(STAGES, INSTANTS, passed=50, stopped=at(6)) is None
    assert sla.next_stage(STAGES, INSTANTS, passed=80, stopped=DUE) is None  # on time


def test_a_shorter_target_counts_from_the_start():
    due = START + timedelta(minutes=60)
    change = sla.retarget(start=START, due=due, new_target_minutes=30, changed=at(10))
    assert change == sla.Retarget(target_minutes=30, due_at=at(30))


def test_a_late_change_leaves_five_minutes():
    due = START + timedelta(minutes=60)
    change = sla.retarget(start=START, due=due, new_target_minutes=10, changed=at(20))
    assert change == sla.Retarget(target_minutes=10, due_at=at(25))


def test_a_change_never_extends_a_clock():
    assert sla.retarget(start=START, due=DUE, new_target_minutes=30, changed=at(1)) is None
    assert sla.retarget(start=START, due=DUE, new_target_minutes=10, changed=at(1)) is None
    # Five minutes from now would be later than what is promised already.
    assert sla.retarget(start=START, due=DUE, new_target_minutes=5, changed=at(6)) is None


@given(
    target=st.integers(1, 120),
    new=st.integers(1, 120),
    change=st.floats(0, 240, allow_nan=False),
)
def test_a_retargeted_clock_ends_between_grace_and_the_old_end(target, new, change):
    due = sla.due_instant(START, target)
    changed = at(change)
    result = sla.retarget(start=START, due=due, new_target_minutes=new, changed=changed)
    if result is not None:
        assert result.due_at < due
        assert result.due_at >= changed + timedelta(minutes=5)
        assert result.due_at >= sla.due_instant(START, new)


def test_an_answer_at_the_due_instant_is_on_time():
    assert sla.is_on_time(due=DUE, answered=DUE)
    assert not sla.is_on_time(due=DUE, answered=DUE + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("minutes", "state"),
    [
        (0, "calm"),
        (4.99, "calm"),
        (5, "warm"),
        (7.99, "warm"),
        (8, "hot"),
        (10, "hot"),
        (10.01, "breached"),
    ],
)
def test_the_chip_changes_with_what_is_left(minutes, state):
    assert sla.chip_state(start=START, due=DUE, at=at(minutes)) == state


def test_the_chip_of_a_stopped_clock_says_how_it_ended():
    assert sla.chip_state(start=START, due=DUE, at=at(99), stopped=DUE) == "met"
    assert sla.chip_state(start=START, due=DUE, at=at(99), stopped=at(10.5)) == "missed"
