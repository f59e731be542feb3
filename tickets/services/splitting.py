"""Splitting a ticket in two."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from core import search
from core.numbering import ticket_number
from supportplans.selectors.coverage import coverage_at
from tickets import sla
from tickets.desk_states import LinkKind
from tickets.exceptions import SplitRefused
from tickets.locks import lock_running_clock, lock_tickets
from tickets.models import Attachment, Clock, Ticket, TicketEvent, TicketMessage
from tickets.services.attachments import attachment_copy
from tickets.services.clocks import clock_begin
from tickets.services.coverages import standing_set
from tickets.services.links import link_write
from tickets.services.merging import clock_move
from tickets.services.timeline import event_write, touch
from tickets.states import ClockKind, TicketEventKind, TicketState

COPIED = ("kind", "severity", "effect", "category", "product_line", "resource", "tier", "assignee")


@transaction.atomic
def ticket_split(
    *, ticket_id: int, message_id: int, title: str, actor: Actor, at: datetime
) -> Ticket:
    """Make a customer's message and what follows a ticket of its own, and return that.

    The conversation of the old ticket stays whole; the new one begins with copies, each by its own author and of
    its own time. The new clock starts when the customer wrote the first message that moved and nobody has answered:
    being sorted out by us must not cost the customer time. Where the running silence began with a message that moved,
    its clock itself moves (nothing is left to answer in the old ticket); where it began before, the old clock runs on
    and the new ticket gets one with the same target and promise, from its own first message. Where nothing is
    unanswered, no clock runs.

    Raises SplitRefused for a message that is not a customer's, or is the first of its ticket; also for one that is
    closed.
    """
    ticket = lock_tickets().get(pk=ticket_id)
    messages = list(
        TicketMessage.objects.filter(ticket=ticket)
        .defer("search")
        .prefetch_related("attachments")
        .order_by("created_at", "id")
    )
    start = next((n for n, row in enumerate(messages) if row.pk == message_id), 0)
    if start == 0 or messages[start].is_staff or ticket.state == TicketState.CLOSED:
        raise SplitRefused
    moved = messages[start:]
    fresh = _new_ticket(ticket, moved, title=title, at=at)
    fresh.save(force_insert=True)
    _copy(moved, fresh)
    _clock(ticket, fresh, moved[0].created_at, actor=actor, at=at)
    ticket.save(update_fields=["due_at"])
    fresh.save(update_fields=["due_at"])
    TicketEvent.objects.create(
        tenant_id=fresh.tenant_id,
        ticket=fresh,
        kind=TicketEventKind.SUBMITTED,
        created_at=fresh.created_at,
        **_author(moved[0]),
    )
    event_write(
        ticket, TicketEventKind.SPLIT, actor=actor, at=at, number=fresh.number, count=len(moved)
    )
    link_write(fresh, ticket, LinkKind.SPLIT, actor=actor, at=at)
    touch(ticket)
    return fresh


def _new_ticket(ticket: Ticket, moved: list[TicketMessage], *, title: str, at: datetime) -> Ticket:
    """Return the new ticket, unsaved: received when its first message was, answered when staff first answered it."""
    number = ticket_number(at)
    title = title.strip()[:200] or ticket.title
    answer = next((row for row in moved if row.is_staff), None)
    last = moved[-1]
    fresh = Ticket(
        tenant_id=ticket.tenant_id,
        number=number,
        title=title,
        state=TicketState.NEW if answer is None else ticket.state,
        lent_to_vip=ticket.lent_to_vip,
        created_at=moved[0].created_at,
        first_response_at=answer.created_at if answer else None,
        last_message_at=last.created_at,
        last_author=last.actor_name,
        last_is_staff=last.is_staff,
        search=search.vector(number, title, ticket.resource),
        **{name: getattr(ticket, name) for name in COPIED},
        **_author(moved[0]),
    )
    if ticket.state == TicketState.RESOLVED:
        fresh.resolved_at, fresh.closes_at = ticket.resolved_at, ticket.closes_at
    standing_set(fresh, coverage_at(ticket.tenant_id, at))
    return fresh


def _copy(moved: list[TicketMessage], fresh: Ticket) -> None:
    """Write the messages again under the new ticket, with the same files."""
    for row in moved:
        copy = TicketMessage.objects.create(
            tenant_id=fresh.tenant_id,
            ticket=fresh,
            body=row.body,
            is_staff=row.is_staff,
            is_automatic=row.is_automatic,
            staff_member_id=row.staff_member_id,
            created_at=row.created_at,
            recalled_at=row.recalled_at,
            search=None if row.recalled_at else search.vector(row.body),
            **_author(row),
        )
        if row.recalled_at is None:
            Attachment.objects.bulk_create(
                attachment_copy(file, message=copy) for file in row.attachments.all()
            )


def _clock(
    ticket: Ticket, fresh: Ticket, first_moved: datetime, *, actor: Actor, at: datetime
) -> None:
    """Move the running clock, or start one beside it, as ``ticket_split`` says."""
    running: Clock | None = lock_running_clock(ticket)
    if running is None:
        return
    if running.started_at >= first_moved:
        clock_move(running, source=ticket, target=fresh, actor=actor, at=at)
        return
    _clock_beside(running, fresh, first_moved, actor=actor, at=at)


def _clock_beside(
    running: Clock, fresh: Ticket, start: datetime, *, actor: Actor, at: datetime
) -> None:
    """Start the new ticket's clock with the target and the promise of the one that runs on in the old ticket."""
    clock = Clock(
        tenant_id=fresh.tenant_id,
        ticket=fresh,
        kind=ClockKind.FIRST,
        plan_code=running.plan_code,
        severity=running.severity,
        promised=running.promised,
        started_at=start,
        target_minutes=running.target_minutes,
        due_at=sla.due_instant(start, running.target_minutes),
        stage_percents=running.stage_percents,
    )
    clock_begin(clock=clock, ticket=fresh, actor=actor, at=at, reason="split")


def _author(message: TicketMessage) -> dict[str, object]:
    return {
        "actor_id": message.actor_id,
        "actor_name": message.actor_name,
        "actor_title": message.actor_title,
    }
