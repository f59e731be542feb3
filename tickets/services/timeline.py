"""The history of tickets and clocks, and telling open pages that something changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.access import Actor
from messaging import live
from tickets.live import CONSOLE, ticket_topic
from tickets.models import Clock, ClockEvent, Ticket, TicketEvent
from tickets.states import ClockEventKind, TicketEventKind


def event_write(
    ticket: Ticket, kind: TicketEventKind, *, actor: Actor, at: datetime, **details: Any
) -> None:
    """Add a line to the ticket's timeline. The customer may read it."""
    TicketEvent.objects.create(
        tenant_id=ticket.tenant_id,
        ticket=ticket,
        kind=kind,
        details=details,
        created_at=at,
        **actor.snapshot(),
    )


def clock_event_write(
    clock: Clock,
    kind: ClockEventKind,
    *,
    actor: Actor,
    at: datetime,
    details: dict[str, Any],
    reason: str = "",
) -> None:
    """Add a line to the clock's log, with the due instant and the target as they are now."""
    ClockEvent.objects.create(
        tenant_id=clock.tenant_id,
        clock=clock,
        kind=kind,
        due_at=clock.due_at,
        target_minutes=clock.target_minutes,
        reason=reason,
        details=details,
        created_at=at,
        **actor.snapshot(),
    )


def touch(ticket: Ticket) -> None:
    """Tell open pages that the queue and this ticket changed."""
    live.touch(CONSOLE)
    live.touch(ticket_topic(ticket.pk))
