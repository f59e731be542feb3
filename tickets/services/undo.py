"""Taking back what an agent did last and nobody was sent: assignment, tags, severity, links (screens.md, ``u``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.models import StaffMember
from core.exceptions import DomainError
from supportplans.states import Severity
from tickets.desk_states import ChangeKind, LinkKind
from tickets.exceptions import ChangedSince, NothingToUndo, TicketMoveRefused
from tickets.locks import lock_tickets
from tickets.models import Ticket, TicketChange, TicketLink
from tickets.services.assignment import assignee_write
from tickets.services.bulk import Refusal
from tickets.services.incidents import incident_of, incident_write
from tickets.services.links import link_add, link_remove
from tickets.services.severities import severity_set
from tickets.services.tags import tags_of, tags_write
from tickets.services.timeline import event_write, touch
from tickets.states import TicketEventKind, TicketState

UNDO_WITHIN = timedelta(minutes=10)


@dataclass
class Undone:
    """What was taken back: the kind of the change, how many tickets, and those that were refused."""

    kind: ChangeKind
    done: int = 0
    refused: list[Refusal] = field(default_factory=list)


@transaction.atomic
def changes_undo(*, actor: Actor, at: datetime) -> Undone:
    """Take back the actor's last request of the last ten minutes, ticket by ticket.

    A ticket that somebody changed since keeps what it has and is named. Raises NothingToUndo.
    """
    mine = TicketChange.objects.filter(actor=actor.user, settled_at=None)
    last = mine.filter(created_at__gte=at - UNDO_WITHIN).order_by("-created_at", "-id").first()
    if last is None:
        raise NothingToUndo
    result = Undone(ChangeKind(last.kind))
    for ticket_id in (
        mine.filter(batch=last.batch).order_by("ticket_id").values_list("ticket_id", flat=True)
    ):
        try:
            with transaction.atomic():
                number = _undo(ticket_id, last.batch, actor, at)
                result.done += 1
        except DomainError as error:
            number = Ticket.objects.values_list("number", flat=True).get(pk=ticket_id)
            result.refused.append(Refusal(number, str(error.message)))
    # What was refused was overtaken: the next try goes on to what was done before.
    mine.filter(batch=last.batch).update(settled_at=at)
    return result


def _undo(ticket_id: int, batch: Any, actor: Actor, at: datetime) -> str:
    """Take one change back under its ticket's lock; return the ticket's number. Raises ChangedSince."""
    ticket = lock_tickets().get(pk=ticket_id)
    change = TicketChange.objects.filter(
        ticket=ticket, batch=batch, actor=actor.user, settled_at=None
    ).first()
    if change is None:
        raise NothingToUndo  # another tab was first
    if ticket.merged_into_id is not None:
        raise ChangedSince
    standing = TicketChange.objects.filter(ticket=ticket, kind=change.kind, settled_at=None)
    if standing.order_by("-id").first() != change:
        raise ChangedSince
    _UNDO[ChangeKind(change.kind)](ticket, change, actor, at)
    change.settled_at = at
    change.save(update_fields=["settled_at"])
    # The step back is no step of its own: undoing again goes on to what was done before.
    TicketChange.objects.filter(ticket=ticket, actor=actor.user, created_at=at).update(
        settled_at=at
    )
    return ticket.number


def _assignment(ticket: Ticket, change: TicketChange, actor: Actor, at: datetime) -> None:
    if ticket.assignee_id != change.after:
        raise ChangedSince
    if ticket.state == TicketState.CLOSED:
        raise TicketMoveRefused
    if change.before is None:
        ticket.assignee = None
        ticket.save(update_fields=["assignee"])
        event_write(
            ticket,
            TicketEventKind.HANDED_BACK,
            actor=actor,
            at=at,
            desk=ticket.desk,
            tier=ticket.tier,
        )
        touch(ticket)
        return
    card = StaffMember.objects.filter(pk=change.before, is_active=True).first()
    if card is None:
        raise ChangedSince
    assignee_write(ticket, card, actor=actor, at=at)


def _tags(ticket: Ticket, change: TicketChange, actor: Actor, at: datetime) -> None:
    if tags_of(ticket) != change.after:
        raise ChangedSince
    tags_write(ticket, change.before, actor=actor, at=at)


def _severity(ticket: Ticket, change: TicketChange, actor: Actor, at: datetime) -> None:
    if ticket.severity != change.after:
        raise ChangedSince
    severity_set(
        ticket_id=ticket.pk,
        severity=Severity(change.before),
        reason=_("撤销级别调整"),
        actor=actor,
        at=at,
    )


def _link(ticket: Ticket, change: TicketChange, actor: Actor, at: datetime) -> None:
    was, is_now = change.before, change.after
    other_id = (was or is_now)["other"]
    pair = sorted([ticket.pk, other_id])
    exists = TicketLink.objects.filter(ticket_id=pair[1], other_id=pair[0]).exists()
    if exists != (is_now is not None):
        raise ChangedSince
    if was is None:
        link_remove(ticket_id=ticket.pk, other_id=other_id, actor=actor, at=at)
    else:
        link_add(
            ticket_id=ticket.pk, other_id=other_id, kind=LinkKind(was["kind"]), actor=actor, at=at
        )


def _incident(ticket: Ticket, change: TicketChange, actor: Actor, at: datetime) -> None:
    if incident_of(ticket) != change.after:
        raise ChangedSince
    incident_write(ticket, change.before, actor=actor, at=at)


_UNDO = {
    ChangeKind.ASSIGNMENT: _assignment,
    ChangeKind.TAG: _tags,
    ChangeKind.SEVERITY: _severity,
    ChangeKind.LINK: _link,
    ChangeKind.INCIDENT: _incident,
}
