"""Who works on a ticket: take, hand to a colleague, transfer to engineers or a desk, hand back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from accounts.models import StaffMember
from core.jobs import enqueue
from messaging.services import notify
from supportplans.selectors.coverage import coverage_at
from supportplans.states import PlanCode
from tickets.desk_states import ChangeKind, TransferTarget
from tickets.exceptions import (
    AssigneeUnfit,
    ReasonNeeded,
    TicketAlreadyTaken,
    TicketMoveRefused,
    TransferPointless,
)
from tickets.locks import lock_tickets
from tickets.models import Ticket
from tickets.services.changes import Batch, change_record
from tickets.services.coverages import STANDING_FIELDS, standing_set
from tickets.services.replies import note_add
from tickets.services.timeline import event_write, touch
from tickets.states import WORKING_ROLES, TicketEventKind, TicketState


@transaction.atomic
def ticket_take(
    *, ticket_id: int, actor: Actor, at: datetime, batch: Batch | None = None
) -> Ticket:
    """Take an unassigned ticket; no response, the clock runs on. Losing the race raises TicketAlreadyTaken."""
    card = actor.staff_member()
    ticket = lock_tickets().get(pk=ticket_id)
    if ticket.assignee_id not in {None, card.pk}:
        raise TicketAlreadyTaken
    return _assign(ticket, card, actor=actor, at=at, batch=batch)


@transaction.atomic
def ticket_assign(
    *,
    ticket_id: int,
    staff_member_id: int,
    actor: Actor,
    at: datetime,
    batch: Batch | None = None,
) -> Ticket:
    """Hand a ticket to someone who works tickets, and tell them. Raises AssigneeUnfit, TicketMoveRefused."""
    card = StaffMember.objects.filter(pk=staff_member_id, is_active=True).first()
    if card is None or not WORKING_ROLES & set(card.roles):
        raise AssigneeUnfit(field="assignee")
    ticket = lock_tickets().get(pk=ticket_id)
    return _assign(ticket, card, actor=actor, at=at, batch=batch)


@transaction.atomic
def ticket_transfer(
    *, ticket_id: int, target: TransferTarget, reason: str, actor: Actor, at: datetime
) -> Ticket:
    """Give a ticket to engineers of a tier, to the VIP desk, or back to the desk that answers; the worker deals it.

    The reason is an internal note; the customer reads where the ticket went, not why. The clock runs on. Raises
    ReasonNeeded, TicketMoveRefused for a closed ticket, TransferPointless where it is there already.
    """
    if not reason.strip():
        raise ReasonNeeded(field="reason")
    ticket = lock_tickets().get(pk=ticket_id)
    if ticket.state == TicketState.CLOSED:
        raise TicketMoveRefused
    before = (ticket.desk, ticket.tier)
    is_back = target == TransferTarget.DESK
    ticket.tier = "" if target in {TransferTarget.DESK, TransferTarget.VIP} else target.value
    if is_back or target == TransferTarget.VIP:
        ticket.lent_to_vip = not is_back
    standing_set(ticket, coverage_at(ticket.tenant_id, at))
    if before == (ticket.desk, ticket.tier):
        raise TransferPointless
    ticket.assignee = None
    ticket.save(update_fields=["tier", "lent_to_vip", "assignee", *STANDING_FIELDS])
    note_add(ticket_id=ticket.pk, body=reason, actor=actor, at=at)
    kind = TicketEventKind.HANDED_BACK if is_back else TicketEventKind.TRANSFERRED
    event_write(ticket, kind, actor=actor, at=at, desk=ticket.desk, tier=ticket.tier)
    enqueue("tickets.tickets_deal")
    touch(ticket)
    return ticket


def tier_of_plan(plan_code: str) -> TransferTarget:
    """Return the engineers that a plan promises (domain.md §1)."""
    return {
        PlanCode.STANDARD: TransferTarget.TECHNICAL,
        PlanCode.LITE: TransferTarget.ADVANCED,
        PlanCode.BUSINESS: TransferTarget.SENIOR,
        PlanCode.ENTERPRISE: TransferTarget.EXPERT,
    }[PlanCode(plan_code)]


def assignee_write(ticket: Ticket, card: StaffMember, *, actor: Actor, at: datetime) -> None:
    """Write the new assignee, its line of history, and tell them. The caller holds the lock."""
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


def _assign(
    ticket: Ticket, card: StaffMember, *, actor: Actor, at: datetime, batch: Batch | None
) -> Ticket:
    """Hand the ticket over and keep what it takes to undo that. The caller holds the lock."""
    if ticket.state == TicketState.CLOSED:
        raise TicketMoveRefused
    if ticket.assignee_id == card.pk:
        return ticket
    before = ticket.assignee_id
    assignee_write(ticket, card, actor=actor, at=at)
    change_record(
        ticket, ChangeKind.ASSIGNMENT, before=before, after=card.pk, actor=actor, at=at, batch=batch
    )
    return ticket
