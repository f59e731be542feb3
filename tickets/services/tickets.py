"""Opening tickets, and their way to the end (domain.md §5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, transaction

from accounts.access import SYSTEM, Actor
from core import search
from core.events import publish
from core.numbering import ticket_number
from messaging import live
from messaging.services import notify
from supportplans.models import ProductLine
from supportplans.selectors.coverage import Coverage, coverage_at
from supportplans.states import Severity
from tickets.desk_states import LinkKind
from tickets.events import TicketClosed, TicketResolved, TicketSubmitted
from tickets.exceptions import ReplyNeeded, TicketMoveRefused
from tickets.live import CONSOLE, ticket_topic
from tickets.locks import keep_coverage, lock_tickets
from tickets.models import Attachment, Ticket, TicketCategory, TicketEvent
from tickets.selectors.watchers import audience_of
from tickets.services.clocks import clock_open, clock_stop
from tickets.services.coverages import standing_set
from tickets.services.links import link_write
from tickets.services.messages import message_write
from tickets.services.replies import CLOSES_AFTER, REPLY_FIELDS, staff_reply_write
from tickets.services.requirements import requirement_begin
from tickets.services.timeline import event_write, touch
from tickets.states import ClockOutcome, Effect, TicketEventKind, TicketKind, TicketState

CLOSE_BATCH = 200


@transaction.atomic
def ticket_submit(
    *,
    tenant_id: int,
    title: str,
    body: str,
    severity: Severity,
    kind: TicketKind,
    category: TicketCategory | None,
    product_line: ProductLine | None,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None = None,
    attachments: Sequence[File[Any] | Attachment] = (),
    effect: Effect | None = None,
    resource: str = "",
    follows: Ticket | None = None,
) -> Ticket:
    """Open a ticket: message, place in the queue and first-response clock, all at ``at``.

    The same ``idempotency_key`` of the same tenant gives the ticket that is there already, whoever was first.
    ``follows`` is an earlier ticket of the tenant that this one takes up again; both are linked.
    Raises ReplyEmpty and the errors of ``core.files.validate_upload``.
    """
    keep_coverage(tenant_id=tenant_id)
    coverage = coverage_at(tenant_id, at)
    number = ticket_number(at)
    ticket = Ticket(
        tenant_id=tenant_id,
        number=number,
        kind=kind,
        severity=severity,
        effect=effect or "",
        title=title.strip(),
        category=category,
        product_line=product_line,
        resource=resource.strip(),
        idempotency_key=idempotency_key,
        last_message_at=at,
        last_author=actor.name,
        created_at=at,
        search=search.vector(number, title, resource),
        **actor.snapshot(),
    )
    standing_set(ticket, coverage)
    ticket.due_at = at + timedelta(minutes=coverage.target_minutes[ticket.severity])
    try:
        with transaction.atomic():
            ticket.save(force_insert=True)
    except IntegrityError:
        if not idempotency_key:
            raise
        return Ticket.objects.get(tenant_id=tenant_id, idempotency_key=idempotency_key)
    clock_open(ticket=ticket, coverage=coverage, instance=1, actor=actor, at=at)
    message_write(ticket=ticket, body=body, actor=actor, at=at, attachments=attachments)
    _tell_submitted(ticket, coverage, actor, at)
    if kind == TicketKind.REQUIREMENT:
        requirement_begin(ticket=ticket, actor=actor, at=at)
    if follows is not None:
        link_write(ticket, follows, LinkKind.FOLLOW_UP, actor=actor, at=at)
    publish(TicketSubmitted(tenant_id=tenant_id, ticket_id=ticket.pk, at=at))
    live.touch(CONSOLE)
    return ticket


@transaction.atomic
def ticket_resolve(
    *,
    ticket_id: int,
    actor: Actor,
    at: datetime,
    body: str = "",
    attachments: Sequence[File[Any] | Attachment] = (),
) -> Ticket:
    """Mark as solved, with the solution as a public reply; the customer confirms, or time does after 7 days.

    Raises ReplyNeeded while the customer waits for an answer and none is given, TicketMoveRefused.
    """
    ticket = lock_tickets().select_related("tenant").get(pk=ticket_id)
    if not ticket.can_become(TicketState.RESOLVED):
        raise TicketMoveRefused
    if body.strip():
        staff_reply_write(ticket=ticket, body=body, actor=actor, at=at, attachments=attachments)
    elif ticket.due_at is not None:
        raise ReplyNeeded(field="body")
    ticket.state = TicketState.RESOLVED
    ticket.resolved_at = at
    ticket.closes_at = at + CLOSES_AFTER
    ticket.save(update_fields=[*REPLY_FIELDS, "resolved_at", "closes_at"])
    event_write(ticket, TicketEventKind.RESOLVED, actor=actor, at=at)
    notify(
        "tickets.resolved",
        key=f"ticket-{ticket.pk}-resolved-{at:%Y%m%d%H%M%S}",
        audience=audience_of(ticket),
        context={"number": ticket.number, "title": ticket.title},
        url=ticket.get_absolute_url(),
        thread=ticket_topic(ticket.pk),
        tenant_id=ticket.tenant_id,
        at=at,
    )
    publish(TicketResolved(tenant_id=ticket.tenant_id, ticket_id=ticket.pk, at=at))
    touch(ticket)
    return ticket


@transaction.atomic
def ticket_confirm(*, ticket_id: int, actor: Actor, at: datetime) -> Ticket:
    """Close the ticket by the customer's word, also before staff calls it solved. Raises TicketMoveRefused."""
    ticket = lock_tickets().get(pk=ticket_id)
    return _close(ticket, actor=actor, at=at)


@transaction.atomic
def tickets_close_due(*, at: datetime) -> int:
    """Close what was solved 7 days ago and not answered, in a batch; return how many. Safe to run twice."""
    due = Ticket.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    closed = 0
    for ticket in due.defer("search").filter(closes_at__lte=at).order_by("closes_at")[:CLOSE_BATCH]:
        _close(ticket, actor=SYSTEM, at=ticket.closes_at or at)
        closed += 1
    return closed


def _close(ticket: Ticket, *, actor: Actor, at: datetime) -> Ticket:
    """End the ticket. The caller holds the lock."""
    if not ticket.can_become(TicketState.CLOSED):
        raise TicketMoveRefused
    if ticket.due_at is not None:
        clock_stop(ticket=ticket, outcome=ClockOutcome.WITHDRAWN, actor=actor, at=at)
    ticket.state = TicketState.CLOSED
    ticket.closed_at = at
    ticket.resolved_at = ticket.resolved_at or at
    ticket.closes_at = None
    ticket.save(update_fields=["state", "due_at", "closed_at", "resolved_at", "closes_at"])
    event_write(ticket, TicketEventKind.CLOSED, actor=actor, at=at)
    publish(TicketClosed(tenant_id=ticket.tenant_id, ticket_id=ticket.pk, at=at))
    touch(ticket)
    return ticket


def _tell_submitted(ticket: Ticket, coverage: Coverage, actor: Actor, at: datetime) -> None:
    """Write the first two lines of the timeline: received, and passed to the desk with its target."""
    routed = {
        "plan": coverage.plan_code,
        "desk": ticket.desk,
        "severity": ticket.severity,
        "minutes": coverage.target_minutes[ticket.severity],
        "promised": coverage.promised,
    }
    common = {"tenant_id": ticket.tenant_id, "ticket": ticket, "created_at": at}
    TicketEvent.objects.bulk_create(
        [
            TicketEvent(kind=TicketEventKind.SUBMITTED, **common, **actor.snapshot()),
            TicketEvent(kind=TicketEventKind.ROUTED, details=routed, **common, **SYSTEM.snapshot()),
        ]
    )
