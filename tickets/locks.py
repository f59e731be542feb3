"""Row locks of this app, in the portal's lock order: … → ticket → clock."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from tickets.models import Clock, Ticket


def lock_tickets() -> QuerySet[Ticket]:
    """Return tickets that are locked when read, in the order of their ids. Rows that refer to them stay free."""
    return (
        Ticket.objects.select_for_update(of=("self",), no_key=True).defer("search").order_by("pk")
    )


def lock_running_clock(ticket: Ticket) -> Clock | None:
    """Return the ticket's running clock, locked, or None. The caller holds the ticket's lock."""
    return (
        Clock.objects.select_for_update(of=("self",), no_key=True)
        .filter(ticket=ticket, stopped_at=None)
        .first()
    )


def lock_running_clocks(ticket_ids: list[int]) -> QuerySet[Clock]:
    """Return the running clocks of tickets, locked, in the order of their ids."""
    return (
        Clock.objects.select_for_update(of=("self",), no_key=True)
        .filter(ticket_id__in=ticket_ids, stopped_at=None)
        .order_by("pk")
    )


def lock_due_clocks(at: datetime, limit: int) -> QuerySet[Clock]:
    """Return up to ``limit`` clocks with a stage before ``at``; those that someone else holds are left to them."""
    return (
        Clock.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(next_stage_at__lt=at)
        .order_by("next_stage_at")[:limit]
    )
