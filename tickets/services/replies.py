"""Replies of customers and staff, and staff's internal notes (domain.md §5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.access import Actor
from core.events import publish
from messaging.services import notify
from supportplans.selectors.coverage import coverage_at
from tickets import followup
from tickets.events import TicketAnswered, TicketReopened
from tickets.exceptions import ReopenTooLate, ReplyEmpty, TicketMoveRefused
from tickets.live import ticket_topic
from tickets.locks import keep_coverage, lock_ticket_in_force
from tickets.models import Attachment, Ticket, TicketMessage, TicketNote
from tickets.selectors.watchers import audience_of
from tickets.services.clocks import clock_open_next, clock_stop
from tickets.services.coverages import STANDING_FIELDS, standing_set
from tickets.services.messages import message_write
from tickets.services.timeline import event_write, touch
from tickets.states import DONE_STATES, ClockOutcome, TicketEventKind, TicketState

# A solved ticket can be reopened so long; then it closes by itself (domain.md §5).
CLOSES_AFTER = followup.REOPEN_WITHIN
# What a reply may change of its ticket.
REPLY_FIELDS = (
    "state",
    "assignee",
    "due_at",
    "first_response_at",
    "last_message_at",
    "last_author",
    "last_is_staff",
)


def reply_add(
    *,
    ticket_id: int,
    body: str,
    actor: Actor,
    at: datetime,
    attachments: Sequence[File[Any] | Attachment] = (),
    wait: bool = False,
    idempotency_key: str | None = None,
) -> Ticket:
    """Add a public reply; who speaks decides what it does.

    A person of staff stops the running clock and, with ``wait``, hands the turn to the customer (待客户反馈 exists only
    together with a public reply). A customer starts a clock where none runs, and reopens what was called solved.
    The same ``idempotency_key`` on the same ticket writes once. What is said to a merged ticket is said to the one that
    it leads to. Raises ReplyEmpty, TicketMoveRefused, ReopenTooLate.
    """
    try:
        return _reply_add(
            ticket_id=ticket_id,
            body=body,
            actor=actor,
            at=at,
            attachments=attachments,
            wait=wait,
            idempotency_key=idempotency_key,
        )
    except (IntegrityError, TicketMoveRefused):
        if idempotency_key and (written := _written(ticket_id, idempotency_key)):
            return written
        raise


@transaction.atomic
def _reply_add(
    *,
    ticket_id: int,
    body: str,
    actor: Actor,
    at: datetime,
    attachments: Sequence[File[Any] | Attachment],
    wait: bool,
    idempotency_key: str | None,
) -> Ticket:
    """Write the reply. Raises IntegrityError for a key that was there before."""
    if not actor.is_staff:  # whose words may start a clock
        keep_coverage(ticket_id=ticket_id)
    ticket = lock_ticket_in_force(ticket_id)
    if actor.is_staff:
        staff_reply_write(
            ticket=ticket,
            body=body,
            actor=actor,
            at=at,
            attachments=attachments,
            idempotency_key=idempotency_key,
        )
        if wait:
            if not ticket.can_become(TicketState.WAITING):
                raise TicketMoveRefused
            ticket.state = TicketState.WAITING
            event_write(ticket, TicketEventKind.WAITING, actor=actor, at=at)
        ticket.save(update_fields=REPLY_FIELDS)
        touch(ticket)
        return ticket
    if ticket.state == TicketState.RESOLVED:
        return ticket_reopen(
            ticket_id=ticket.pk,
            body=body,
            actor=actor,
            at=at,
            attachments=attachments,
            idempotency_key=idempotency_key,
        )
    return _customer_reply(
        ticket=ticket,
        body=body,
        actor=actor,
        at=at,
        attachments=attachments,
        idempotency_key=idempotency_key,
    )


def _written(ticket_id: int, idempotency_key: str) -> Ticket | None:
    """Return the ticket, or the one it leads to, if it has a message of this key."""
    place = Q(ticket=ticket_id) | Q(ticket__merged=ticket_id)
    sent = TicketMessage.objects.filter(place, idempotency_key=idempotency_key)
    message = sent.select_related("ticket__tenant").first()
    return message.ticket if message else None


def staff_reply_write(
    *,
    ticket: Ticket,
    body: str,
    actor: Actor,
    at: datetime,
    attachments: Sequence[File[Any] | Attachment] = (),
    idempotency_key: str | None = None,
) -> TicketMessage:
    """Write staff's reply: stop the clock, take an unassigned ticket, tell the customer. The caller locks and saves."""
    if ticket.state == TicketState.CLOSED:
        raise TicketMoveRefused
    card = actor.staff_member()
    message = message_write(
        ticket=ticket,
        body=body,
        actor=actor,
        at=at,
        attachments=attachments,
        staff_member=card,
        idempotency_key=idempotency_key,
    )
    if ticket.due_at is not None:
        clock_stop(
            ticket=ticket, outcome=ClockOutcome.ANSWERED, answered_by=card, actor=actor, at=at
        )
    if ticket.first_response_at is None:
        ticket.first_response_at = at
        event_write(ticket, TicketEventKind.RESPONDED, actor=actor, at=at)
    if ticket.assignee_id is None:
        ticket.assignee = card
    if ticket.state in {TicketState.NEW, TicketState.WAITING}:
        ticket.state = TicketState.PROCESSING
    ticket.last_message_at, ticket.last_author, ticket.last_is_staff = at, actor.name, True
    notify(
        "tickets.replied",
        key=f"message-{message.pk}",
        audience=audience_of(ticket),
        context={
            "number": ticket.number,
            "title": ticket.title,
            "author": actor.name,
            "role": actor.title,
            "excerpt": message.body[:300],
        },
        url=ticket.get_absolute_url(),
        thread=ticket_topic(ticket.pk),
        tenant_id=ticket.tenant_id,
        at=at,
    )
    publish(
        TicketAnswered(
            tenant_id=ticket.tenant_id, ticket_id=ticket.pk, message_id=message.pk, at=at
        )
    )
    return message


@transaction.atomic
def ticket_reopen(
    *,
    ticket_id: int,
    body: str,
    actor: Actor,
    at: datetime,
    attachments: Sequence[File[Any] | Attachment] = (),
    idempotency_key: str | None = None,
) -> Ticket:
    """Take up a solved or closed ticket again with the customer's words; a new clock starts.

    Nobody has it then: it is dealt like a new one, to whom answered it before if they are free.
    Raises ReopenTooLate more than 7 days after the resolution, TicketMoveRefused for one that is still open.
    """
    keep_coverage(ticket_id=ticket_id)
    ticket = lock_ticket_in_force(ticket_id)
    if ticket.state not in DONE_STATES:
        raise TicketMoveRefused
    ended = ticket.resolved_at or ticket.closed_at
    if ended is not None and at > ended + CLOSES_AFTER:
        raise ReopenTooLate
    message_write(
        ticket=ticket,
        body=body,
        actor=actor,
        at=at,
        attachments=attachments,
        idempotency_key=idempotency_key,
    )
    coverage = coverage_at(ticket.tenant_id, at)
    standing_set(ticket, coverage)
    clock_open_next(ticket=ticket, coverage=coverage, actor=actor, at=at)
    ticket.state, ticket.assignee = TicketState.PROCESSING, None
    ticket.resolved_at = ticket.closed_at = ticket.closes_at = None
    ticket.last_message_at, ticket.last_author, ticket.last_is_staff = at, actor.name, False
    ticket.save(
        update_fields=[*REPLY_FIELDS, *STANDING_FIELDS, "resolved_at", "closed_at", "closes_at"]
    )
    event_write(ticket, TicketEventKind.REOPENED, actor=actor, at=at)
    publish(TicketReopened(tenant_id=ticket.tenant_id, ticket_id=ticket.pk, at=at))
    touch(ticket)
    return ticket


@transaction.atomic
def note_add(*, ticket_id: int, body: str, actor: Actor, at: datetime) -> TicketNote:
    """Add an internal note. It is no response: no clock stops, no customer sees it. Raises ReplyEmpty.

    A merged ticket's note stands in both threads.
    """
    if not body.strip():
        raise ReplyEmpty(field="body")
    ticket = Ticket.objects.only("pk", "tenant_id").get(pk=ticket_id)
    note = TicketNote.objects.create(
        tenant_id=ticket.tenant_id,
        ticket=ticket,
        body=body.strip(),
        created_at=at,
        **actor.snapshot(),
    )
    touch(ticket)
    return note


def _customer_reply(
    *,
    ticket: Ticket,
    body: str,
    actor: Actor,
    at: datetime,
    attachments: Sequence[File[Any] | Attachment],
    idempotency_key: str | None,
) -> Ticket:
    if ticket.state == TicketState.CLOSED:
        raise TicketMoveRefused
    message_write(
        ticket=ticket,
        body=body,
        actor=actor,
        at=at,
        attachments=attachments,
        idempotency_key=idempotency_key,
    )
    if ticket.due_at is None:  # the first word of a new silence
        coverage = coverage_at(ticket.tenant_id, at)
        standing_set(ticket, coverage)
        clock_open_next(ticket=ticket, coverage=coverage, actor=actor, at=at)
    if ticket.state == TicketState.WAITING:
        ticket.state = TicketState.PROCESSING
        event_write(ticket, TicketEventKind.RESUMED, actor=actor, at=at)
    ticket.last_message_at, ticket.last_author, ticket.last_is_staff = at, actor.name, False
    ticket.save(update_fields=[*REPLY_FIELDS, *STANDING_FIELDS])
    touch(ticket)
    return ticket
