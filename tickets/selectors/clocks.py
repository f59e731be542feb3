"""Clocks as staff sees them, with everything that changed their target."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject

from tickets.models import Clock, ClockEvent, TicketEvent
from tickets.selectors.conversations import ClockView
from tickets.states import ClockEventKind, TicketEventKind
from tickets.wording import Retarget


def clock_views(clocks: QuerySet[Clock], at: datetime) -> list[ClockView]:
    """Return the clocks with their re-targets, oldest first. One query."""
    lines = ClockEvent.objects.filter(clock=OuterRef("pk"), kind=ClockEventKind.RETARGETED)
    told = lines.order_by("id").values(told=JSONObject(at="created_at", details="details"))
    return [
        ClockView(
            clock,
            at,
            [Retarget(datetime.fromisoformat(row["at"]), row["details"]) for row in clock.told],
        )
        for clock in clocks.annotate(told=ArraySubquery(told))
    ]


def clock_view(clock: Clock, events: Iterable[TicketEvent], at: datetime) -> ClockView:
    """Return a clock with its re-targets as the timeline of its ticket tells them. No query."""
    told = [
        Retarget(event.created_at, event.details)
        for event in events
        if event.kind == TicketEventKind.RETARGETED and event.created_at >= clock.started_at
    ]
    return ClockView(clock, at, told if clock.retargeted_at else [])
