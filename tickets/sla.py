"""Pure rules of response clocks (domain.md §5). Instants in, instants out; nothing here reads the clock.

A clock runs around the clock from its start; its stages lie at start + p × (due − start). A stage is passed when the
clock still runs *after* the stage's instant, so that a reply at the due instant is on time. The instants are kept with
the clock: a change of target moves those that lie ahead and leaves those that lie behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

# The due instant. Stages below it warn, those above it escalate (their percentages are data, see selectors/stages.py).
BREACH = 100
# After a change that shortens a target there are at least five minutes left to answer.
RETARGET_GRACE = timedelta(minutes=5)
WARM_LEFT, HOT_LEFT = 0.5, 0.2


class ChipState(StrEnum):
    """How a clock looks (screens.md): always colour, shape and text together."""

    CALM = "calm"
    WARM = "warm"
    HOT = "hot"
    BREACHED = "breached"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True)
class Retarget:
    """What a change of target makes of a running clock."""

    target_minutes: int
    due_at: datetime


def due_instant(start: datetime, target_minutes: int) -> datetime:
    """Return when an answer is due: ``target_minutes`` after ``start``, around the clock.

    Counted in UTC: in a zone with daylight changes Python adds to the wall clock.
    """
    return start.astimezone(UTC) + timedelta(minutes=target_minutes)


def stage_instant(percent: int, *, start: datetime, due: datetime) -> datetime:
    """Return where a stage lies on the way from start to due."""
    begun = start.astimezone(UTC)
    return begun + (due.astimezone(UTC) - begun) * percent / 100


def stage_instants(stages: Sequence[int], *, start: datetime, due: datetime) -> list[datetime]:
    """Return the instants of a clock's stages, in the order of the percentages."""
    return [stage_instant(percent, start=start, due=due) for percent in stages]


def stage_instants_moved(
    stages: Sequence[int],
    instants: Sequence[datetime],
    *,
    start: datetime,
    due: datetime,
    changed: datetime,
) -> list[datetime]:
    """Return the instants after a change of target at ``changed``.

    What lay before the change stays where it was, noticed or not; what would now lie before it fires at the change.
    """
    return [
        instant if instant < changed else max(stage_instant(percent, start=start, due=due), changed)
        for percent, instant in zip(stages, instants, strict=True)
    ]


def stages_passed(
    stages: Sequence[int], instants: Sequence[datetime], *, passed: int, until: datetime
) -> list[tuple[int, datetime]]:
    """Return ``(percent, instant)`` of the stages after ``passed`` that lie before ``until``, in order.

    ``until`` is the present for a running clock and the instant of the answer for a stopped one.
    """
    return [
        (percent, instant)
        for percent, instant in zip(stages, instants, strict=True)
        if percent > passed and instant < until
    ]


def next_stage(
    stages: Sequence[int],
    instants: Sequence[datetime],
    *,
    passed: int,
    stopped: datetime | None = None,
) -> datetime | None:
    """Return the instant of the next stage that is to be recorded, or None when nothing is left to record."""
    for percent, instant in zip(stages, instants, strict=True):
        if percent > passed:
            return instant if stopped is None or instant < stopped else None
    return None


def retarget(
    *, start: datetime, due: datetime, new_target_minutes: int, changed: datetime
) -> Retarget | None:
    """Return the new target of a running clock, or None when the change does not shorten it.

    due = min(old due, max(start + new target, change + 5 min)): a change never extends a running clock and never leaves
    less than five minutes.
    """
    earliest = max(due_instant(start, new_target_minutes), changed.astimezone(UTC) + RETARGET_GRACE)
    if earliest >= due:
        return None
    return Retarget(target_minutes=new_target_minutes, due_at=earliest)


def is_on_time(*, due: datetime, answered: datetime) -> bool:
    """Return True for an answer at or before the due instant."""
    return answered <= due


def share_left(*, start: datetime, due: datetime, at: datetime) -> float:
    """Return the share of the time that is left, 1.0 at the start, 0.0 at the due instant and after."""
    whole = (due - start).total_seconds()
    return max(0.0, min(1.0, (due - at).total_seconds() / whole)) if whole > 0 else 0.0


def chip_state(
    *, start: datetime, due: datetime, at: datetime, stopped: datetime | None = None
) -> ChipState:
    """Return how the clock looks at ``at``."""
    if stopped is not None:
        return ChipState.MET if is_on_time(due=due, answered=stopped) else ChipState.MISSED
    if at > due:
        return ChipState.BREACHED
    left = share_left(start=start, due=due, at=at)
    if left <= HOT_LEFT:
        return ChipState.HOT
    return ChipState.WARM if left <= WARM_LEFT else ChipState.CALM


@dataclass(frozen=True, slots=True)
class Countdown:
    """A running clock at an instant, as figures."""

    start: datetime
    due: datetime
    at: datetime

    @property
    def state(self) -> ChipState:
        """Return how the clock looks."""
        return chip_state(start=self.start, due=self.due, at=self.at)

    @property
    def total_seconds(self) -> int:
        """Return the whole time from start to due."""
        return int((self.due - self.start).total_seconds())

    @property
    def spent_seconds(self) -> int:
        """Return the time used, at most the whole time (for the meter)."""
        return min(self.total_seconds, int((self.at - self.start).total_seconds()))

    @property
    def left(self) -> str:
        """Return what is left as mm:ss, with a plus sign what it is late by."""
        return left_words(self.due, self.at)


def left_words(due: datetime, at: datetime) -> str:
    """Return what is left as mm:ss (or h:mm:ss), with a plus sign what it is late by."""
    seconds = int((due - at).total_seconds())
    sign, seconds = ("+", -seconds) if seconds < 0 else ("", seconds)
    hours, rest = divmod(seconds, 3600)
    prefix = f"{hours}:" if hours else ""
    return f"{sign}{prefix}{rest // 60:02d}:{rest % 60:02d}"
