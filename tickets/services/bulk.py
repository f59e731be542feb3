"""One request on many tickets: bounded, each ticket safe by itself, the result says what was refused and why."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from core.exceptions import DomainError
from tickets.exceptions import OpenClocksUnconfirmed, ReplyNeeded, TooManyTickets
from tickets.locks import lock_tickets
from tickets.models import Ticket
from tickets.services.assignment import ticket_assign
from tickets.services.incidents import ticket_incident_set
from tickets.services.tags import ticket_tag_add
from tickets.services.tickets import ticket_resolve

BULK_MOST = 100


@dataclass(frozen=True)
class Refusal:
    """A ticket that stayed as it was, and the reason in words."""

    number: str
    reason: str


@dataclass
class BulkResult:
    """How many tickets were changed, and those that were not."""

    done: int = 0
    refused: list[Refusal] = field(default_factory=list)


@transaction.atomic
def tickets_each(*, ticket_ids: Collection[int], act: Callable[[int], object]) -> BulkResult:
    """Do ``act`` to at most a hundred tickets in the order of their ids, each in a savepoint of its own.

    What a rule of the domain refuses is undone for that ticket and named; a programming error undoes everything.
    Raises TooManyTickets.
    """
    wanted = sorted(set(ticket_ids))
    if len(wanted) > BULK_MOST:
        raise TooManyTickets
    numbers = dict(Ticket.objects.filter(pk__in=wanted).values_list("pk", "number"))
    result = BulkResult()
    for ticket_id in wanted:
        if ticket_id not in numbers:
            continue
        try:
            with transaction.atomic():
                act(ticket_id)
        except DomainError as error:
            result.refused.append(Refusal(numbers[ticket_id], str(error.message)))
        else:
            result.done += 1
    return result


@transaction.atomic
def tickets_assign(
    *, ticket_ids: Collection[int], staff_member_id: int, actor: Actor, at: datetime
) -> BulkResult:
    """Hand tickets to one person. Raises TooManyTickets."""
    batch = uuid.uuid4()
    return tickets_each(
        ticket_ids=ticket_ids,
        act=lambda pk: ticket_assign(
            ticket_id=pk, staff_member_id=staff_member_id, actor=actor, at=at, batch=batch
        ),
    )


@transaction.atomic
def tickets_tag(
    *, ticket_ids: Collection[int], tag_id: int, actor: Actor, at: datetime
) -> BulkResult:
    """Give tickets one tag more. Raises TooManyTickets."""
    batch = uuid.uuid4()
    return tickets_each(
        ticket_ids=ticket_ids,
        act=lambda pk: ticket_tag_add(ticket_id=pk, tag_id=tag_id, actor=actor, at=at, batch=batch),
    )


@transaction.atomic
def tickets_incident_set(
    *, ticket_ids: Collection[int], incident_id: int, actor: Actor, at: datetime
) -> BulkResult:
    """Put tickets under one incident. Raises TooManyTickets."""
    batch = uuid.uuid4()
    return tickets_each(
        ticket_ids=ticket_ids,
        act=lambda pk: ticket_incident_set(
            ticket_id=pk, incident_id=incident_id, actor=actor, at=at, batch=batch
        ),
    )


@transaction.atomic
def tickets_resolve(
    *,
    ticket_ids: Collection[int],
    body: str,
    confirmed_clocks: int | None,
    actor: Actor,
    at: datetime,
) -> BulkResult:
    """Mark tickets as solved, with the same public words to each where there are any.

    While customers wait in some of them, their number has to be confirmed and the words are needed; the tickets are
    locked first, so that the number cannot grow in between. Raises OpenClocksUnconfirmed (which names the number),
    ReplyNeeded, TooManyTickets.
    """
    if len(set(ticket_ids)) > BULK_MOST:
        raise TooManyTickets
    waiting = sum(
        ticket.due_at is not None for ticket in lock_tickets().filter(pk__in=set(ticket_ids))
    )
    if waiting and not body.strip():
        raise ReplyNeeded(field="body")
    if waiting and confirmed_clocks != waiting:
        raise OpenClocksUnconfirmed(waiting)
    return tickets_each(
        ticket_ids=ticket_ids,
        act=lambda pk: ticket_resolve(ticket_id=pk, body=body, actor=actor, at=at),
    )
