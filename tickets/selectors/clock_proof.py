"""Clocks against their logs, batch by batch (staff's scope)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from tickets.clock_log import LogBroken, differences, rebuild
from tickets.models import Clock, ClockEvent, ClockStage

BATCH = 500


@dataclass(frozen=True)
class Batch:
    """How many clocks were compared, what differs by clock id, and the id to go on after (None at the end)."""

    seen: int
    differing: dict[int, list[str]]
    last: int | None


def clocks_differing(*, after: int = 0, limit: int = BATCH) -> Batch:
    """Compare the clocks whose ids follow ``after`` with their logs, and their tickets with them. Three queries.

    Locks the clocks while it reads, so that clock and log are of one instant.
    """
    clocks = list(
        Clock.objects.select_for_update(of=("self",), no_key=True)
        .filter(pk__gt=after)
        .select_related("ticket")
        .only(*(field.name for field in Clock._meta.concrete_fields), "ticket__due_at")
        .order_by("pk")[:limit]
    )
    lines: dict[int, list[ClockEvent]] = defaultdict(list)
    stages: dict[int, list[ClockStage]] = defaultdict(list)
    ids = [clock.pk for clock in clocks]
    for event in ClockEvent.objects.filter(clock_id__in=ids).order_by("id"):
        lines[event.clock_id].append(event)
    for stage in ClockStage.objects.filter(clock_id__in=ids):
        stages[stage.clock_id].append(stage)
    found = {clock.pk: _compare(clock, lines[clock.pk], stages[clock.pk]) for clock in clocks}
    return Batch(
        seen=len(clocks),
        differing={pk: differing for pk, differing in found.items() if differing},
        last=ids[-1] if len(ids) == limit else None,
    )


def _compare(clock: Clock, lines: list[ClockEvent], stages: list[ClockStage]) -> list[str]:
    try:
        found = differences(clock, rebuild(lines, stages))
    except LogBroken as error:
        return [str(error)]
    if clock.stopped_at is None and clock.ticket.due_at != clock.due_at:
        found.append(f"the ticket says {clock.ticket.due_at}, its running clock {clock.due_at}")
    return found
