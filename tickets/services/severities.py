"""Staff's change of a ticket's severity (domain.md §5)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from supportplans.selectors.coverage import coverage_at
from supportplans.states import Severity
from tickets.desk_states import ChangeKind
from tickets.exceptions import ReasonNeeded, TicketMoveRefused
from tickets.locks import lock_tickets
from tickets.models import Ticket
from tickets.services.changes import Batch, change_record
from tickets.services.coverages import STANDING_FIELDS, severity_raise, standing_set
from tickets.services.replies import note_add
from tickets.services.timeline import event_write, touch
from tickets.states import TicketEventKind


@transaction.atomic
def severity_set(
    *,
    ticket_id: int,
    severity: Severity,
    reason: str,
    actor: Actor,
    at: datetime,
    batch: Batch | None = None,
) -> Ticket:
    """Raise or lower an open ticket's severity; the reason is an internal note.

    Raising shortens the running clock as a customer's raising does. Lowering changes the place in the queue and the
    clocks that start afterwards; a running clock keeps its target. Raises ReasonNeeded, TicketMoveRefused.
    """
    if not reason.strip():
        raise ReasonNeeded(field="reason")
    ticket = lock_tickets().get(pk=ticket_id)
    if not ticket.is_open or ticket.severity == severity:
        raise TicketMoveRefused
    before = ticket.severity
    if severity == Severity.URGENT:
        ticket = severity_raise(ticket_id=ticket_id, actor=actor, at=at)
    else:
        ticket.severity = severity
        standing_set(ticket, coverage_at(ticket.tenant_id, at))
        ticket.save(update_fields=["severity", *STANDING_FIELDS])
        event_write(ticket, TicketEventKind.SEVERITY_LOWERED, actor=actor, at=at)
        touch(ticket)
    note_add(ticket_id=ticket_id, body=reason, actor=actor, at=at)
    change_record(
        ticket,
        ChangeKind.SEVERITY,
        before=before,
        after=severity.value,
        actor=actor,
        at=at,
        batch=batch,
    )
    return ticket
