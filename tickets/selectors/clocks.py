"""Clocks as staff sees them, with everything that changed their target."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tickets.models import Clock, ClockEvent, TicketEvent
from tickets.selectors.conversations import ClockView
from tickets.states import ClockEventKind, TicketEventKind


def clock_views(clocks: Iterable[Clock], at: datetime) -> list[ClockView]:
    """Return the clocks with their re-targets, oldest first. One query where one was re-targeted, none otherwise."""
    views = {clock.pk: ClockView(clock, at) for clock in clocks}
    changed = [pk for pk, view in views.items() if view.clock.retargeted_at is not None]
    if changed:
        lines = ClockEvent.objects.filter(clock__in=changed, kind=ClockEventKind.RETARGETED)
        for event in lines.order_by("id"):
            views[event.clock_id].retargets.append(event)
    return list(views.values())


def clock_view(clock: Clock, events: Iterable[TicketEvent], at: datetime) -> ClockView:
    """Return a clock with its re-targets as the timeline of its ticket tells them. No query."""
    told = [
        event
        for event in events
        if event.kind == TicketEventKind.RETARGETED and event.created_at >= clock.started_at
    ]
    return ClockView(clock, at, [*told] if clock.retargeted_at else [])
