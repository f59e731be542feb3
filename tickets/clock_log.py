"""A clock out of its log (domain.md §5): pure, from the lines of ``ClockEvent`` and the stages that were recorded.

The log decides: ``manage.py clocks_prove`` holds every stored clock against what its lines say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Protocol

from tickets import sla
from tickets.states import ClockEventKind, ClockOutcome


class Line(Protocol):
    """A line of the log, in the order of writing (``ClockEvent``)."""

    kind: str
    created_at: datetime
    due_at: datetime
    target_minutes: int
    reason: str
    details: dict[str, Any]


class Passed(Protocol):
    """A recorded stage (``ClockStage``)."""

    percent: int
    due_at: datetime


@dataclass
class ClockFields:
    """All that a clock is, but for its id and its tenant."""

    ticket_id: int
    kind: str
    instance: int
    plan_code: str
    severity: str
    promised: bool
    started_at: datetime
    target_minutes: int
    due_at: datetime
    stage_percents: list[int]
    stage_instants: list[datetime]
    retargeted_at: datetime | None = None
    stage_passed: int = 0
    next_stage_at: datetime | None = None
    stopped_at: datetime | None = None
    outcome: str = ClockOutcome.RUNNING
    answered_by_id: int | None = None


class LogBroken(ValueError):
    """Lines that tell no clock's life: without a start, or with something after the end."""


def started_details(clock: Any) -> dict[str, Any]:
    """Return what the first line says of a new clock beside its target.

    A clock may start before its line was written: the one of a ticket that was split off.
    """
    return {
        "started": clock.started_at.isoformat(),
        "ticket": clock.ticket_id,
        "kind": clock.kind,
        "instance": clock.instance,
        "plan": clock.plan_code,
        "severity": clock.severity,
        "promised": clock.promised,
        "stages": clock.stage_percents,
    }


def rebuild(lines: Sequence[Line], passed: Sequence[Passed]) -> ClockFields:
    """Return the clock that the lines tell of. Raises LogBroken."""
    if not lines or lines[0].kind != ClockEventKind.STARTED:
        raise LogBroken("the log does not begin with a start")
    clock = _started(lines[0])
    for line in lines[1:]:
        if clock.stopped_at is not None:
            raise LogBroken(f"{line.kind} after the end")
        match line.kind:
            case ClockEventKind.RETARGETED:
                _retarget(clock, line)
            case ClockEventKind.MOVED:
                clock.ticket_id = line.details["ticket"]
                clock.instance = line.details["instance"]
            case ClockEventKind.STOPPED:
                clock.stopped_at = line.created_at
                clock.outcome = line.reason
                clock.answered_by_id = line.details["answered_by"]
            case _:
                raise LogBroken(f"{line.kind} after the start")
    # A stage that was due after the answer is void (see ClockStage).
    clock.stage_passed = max(
        (
            stage.percent
            for stage in passed
            if clock.stopped_at is None or stage.due_at < clock.stopped_at
        ),
        default=0,
    )
    clock.next_stage_at = sla.next_stage(
        clock.stage_percents,
        clock.stage_instants,
        passed=clock.stage_passed,
        stopped=clock.stopped_at,
    )
    return clock


def differences(stored: Any, told: ClockFields) -> list[str]:
    """Return ``field: stored, told`` for every field in which a stored clock is not what its log tells."""
    return [
        f"{field.name}: {_text(ours)}, log {_text(theirs)}"
        for field in fields(told)
        if (ours := getattr(stored, field.name)) != (theirs := getattr(told, field.name))
    ]


def _started(line: Line) -> ClockFields:
    stages = list(line.details["stages"])
    started = datetime.fromisoformat(line.details["started"])
    return ClockFields(
        ticket_id=line.details["ticket"],
        kind=line.details["kind"],
        instance=line.details["instance"],
        plan_code=line.details["plan"],
        severity=line.details["severity"],
        promised=line.details["promised"],
        started_at=started,
        target_minutes=line.target_minutes,
        due_at=line.due_at,
        stage_percents=stages,
        stage_instants=sla.stage_instants(stages, start=started, due=line.due_at),
    )


def _retarget(clock: ClockFields, line: Line) -> None:
    clock.plan_code = line.details["plan"]
    clock.severity = line.details["severity"]
    clock.target_minutes = line.target_minutes
    clock.due_at = line.due_at
    clock.retargeted_at = line.created_at
    clock.stage_instants = sla.stage_instants_moved(
        clock.stage_percents,
        clock.stage_instants,
        start=clock.started_at,
        due=line.due_at,
        changed=line.created_at,
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_text(item) for item in value) + "]"
    return value.isoformat() if isinstance(value, datetime) else str(value)
