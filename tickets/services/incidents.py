"""Incidents: one fault, tickets of many customers. Staff's scope only; no customer's timeline names one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from supportplans.models import ProductLine
from tickets.desk_states import ChangeKind, IncidentState
from tickets.exceptions import IncidentOver, ReasonNeeded
from tickets.locks import lock_incidents, lock_tickets
from tickets.models import Incident, IncidentTicket, Ticket
from tickets.services.changes import Batch, change_record
from tickets.services.timeline import touch


@transaction.atomic
def incident_open(
    *, title: str, product_line: ProductLine | None, actor: Actor, at: datetime
) -> Incident:
    """Open an incident that collects tickets. Raises ReasonNeeded without a title."""
    if not title.strip():
        raise ReasonNeeded(field="title")
    return Incident.objects.create(
        title=title.strip(), product_line=product_line, created_at=at, **actor.snapshot()
    )


@transaction.atomic
def incident_end(*, incident_id: int, actor: Actor, at: datetime) -> Incident:
    """Say that the fault is over: it collects no more tickets; each still gets its answer. Raises IncidentOver."""
    incident = lock_incidents().get(pk=incident_id)
    if incident.state == IncidentState.OVER:
        raise IncidentOver
    incident.state, incident.over_at, incident.over_by = IncidentState.OVER, at, actor.name
    incident.save(update_fields=["state", "over_at", "over_by"])
    return incident


@transaction.atomic
def ticket_incident_set(
    *,
    ticket_id: int,
    incident_id: int | None,
    actor: Actor,
    at: datetime,
    batch: Batch | None = None,
) -> Ticket:
    """Put a ticket under an incident, another one, or none. Raises IncidentOver for one that is over."""
    ticket = lock_tickets().get(pk=ticket_id)
    if incident_id is not None:
        incident = lock_incidents().get(pk=incident_id)
        if incident.state == IncidentState.OVER:
            raise IncidentOver
    return incident_write(ticket, incident_id, actor=actor, at=at, batch=batch)


def incident_of(ticket: Ticket) -> int | None:
    """Return the id of the ticket's incident, or None."""
    row = IncidentTicket.objects.filter(ticket=ticket).first()
    return row.incident_id if row else None


def incident_write(
    ticket: Ticket,
    incident_id: int | None,
    *,
    actor: Actor,
    at: datetime,
    batch: Batch | None = None,
) -> Ticket:
    """Write a ticket's incident and keep the change. The caller holds the ticket's lock."""
    before = incident_of(ticket)
    if before == incident_id:
        return ticket
    IncidentTicket.objects.filter(ticket=ticket).delete()
    if incident_id is not None:
        IncidentTicket.objects.create(
            tenant_id=ticket.tenant_id,
            ticket=ticket,
            incident_id=incident_id,
            created_at=at,
            **actor.snapshot(),
        )
    change_record(
        ticket,
        ChangeKind.INCIDENT,
        before=before,
        after=incident_id,
        actor=actor,
        at=at,
        batch=batch,
    )
    touch(ticket)
    return ticket
