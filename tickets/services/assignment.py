"""Who works on a ticket."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from accounts.models import StaffMember
from messaging.services import notify
from tickets.exceptions import AssigneeUnfit, TicketAlreadyTaken, TicketMoveRefused
from tickets.locks import lock_tickets
from tickets.models import Ticket
from tickets.services.timeline import event_write, touch
from tickets.states import WORKING_ROLES, TicketEventKind, TicketState


@transaction.atomic
def ticket_take(*, ticket_id: int, actor: Actor, at: datetime) -> Ticket:
    """Take an unassigned ticket; no response, the clock runs on. Losing the race raises TicketAlreadyTaken."""
    card = StaffMember.objects.get(user=actor.user)
    ticket = lock_tickets().get(pk=ticket_id)
    if ticket.assignee_id not in {None, card.pk}:
        raise TicketAlreadyTaken
    return _assign(ticket, card, actor=actor, at=at)


@transaction.atomic
def ticket_assign(*, ticket_id: int, staff_member_id: int, actor: Actor, at: datetime) -> Ticket:
    """Hand a ticket to someone who works tickets, and tell them. Raises AssigneeUnfit, TicketMoveRefused."""
    card = StaffMember.objects.filter(pk=staff_member_id, is_active=True).first()
    if card is None or not WORKING_ROLES & set(card.roles):
        raise AssigneeUnfit(field="assignee")
    ticket = lock_tickets().get(pk=ticket_id)
    return _assign(ticket, card, actor=actor, at=at)


def _assign(ticket: Ticket, card: StaffMember, *, actor: Actor, at: datetime) -> Ticket:
    """Write the new assignee and its line of history. The caller holds the lock."""
    if ticket.state == TicketState.CLOSED:
        raise TicketMoveRefused
    if ticket.assignee_id == card.pk:
        return ticket
    ticket.assignee = card
    ticket.save(update_fields=["assignee"])
    event_write(
        ticket,
        TicketEventKind.ASSIGNED,
        actor=actor,
        at=at,
        name=card.display_name,
        title=card.title,
    )
    if actor.user is None or card.user_id != actor.user.pk:
        notify(
            "tickets.assigned",
            key=f"ticket-{ticket.pk}-assigned-{card.pk}-{at:%Y%m%d%H%M%S}",
            audience=[f"user:{card.user_id}"],
            context={"number": ticket.number, "title": ticket.title, "by": actor.name},
            url=f"/console/tickets/{ticket.number}/",
            tenant_id=ticket.tenant_id,
            at=at,
        )
    touch(ticket)
    return ticket
