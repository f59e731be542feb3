"""Tagging tickets. Staff's scope only; the customer's timeline says nothing of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from tickets.desk_states import ChangeKind
from tickets.exceptions import TagUnknown
from tickets.locks import lock_tickets
from tickets.models import Tag, Ticket, TicketTag
from tickets.services.changes import Batch, change_record
from tickets.services.timeline import touch


@transaction.atomic
def ticket_tags_set(
    *,
    ticket_id: int,
    tag_ids: Collection[int],
    actor: Actor,
    at: datetime,
    batch: Batch | None = None,
) -> Ticket:
    """Give a ticket exactly these tags, open or not. One that it has may stay when it is not offered any more.

    Raises TagUnknown.
    """
    ticket = lock_tickets().get(pk=ticket_id)
    before = tags_of(ticket)
    _check(set(tag_ids) - set(before))
    return tags_write(ticket, sorted(set(tag_ids)), actor=actor, at=at, batch=batch)


@transaction.atomic
def ticket_tag_add(
    *, ticket_id: int, tag_id: int, actor: Actor, at: datetime, batch: Batch | None = None
) -> Ticket:
    """Give a ticket one tag more; nothing happens where it has it. Raises TagUnknown."""
    _check({tag_id})
    ticket = lock_tickets().get(pk=ticket_id)
    wanted = sorted({*tags_of(ticket), tag_id})
    return tags_write(ticket, wanted, actor=actor, at=at, batch=batch)


def tags_of(ticket: Ticket) -> list[int]:
    """Return the ids of a ticket's tags, in order."""
    rows = TicketTag.objects.filter(ticket=ticket).order_by("tag_id")
    return list(rows.values_list("tag_id", flat=True))


def tags_write(
    ticket: Ticket, wanted: list[int], *, actor: Actor, at: datetime, batch: Batch | None = None
) -> Ticket:
    """Make the ticket's tags what is wanted and keep the change. The caller holds the ticket's lock."""
    before = tags_of(ticket)
    if before == wanted:
        return ticket
    TicketTag.objects.filter(ticket=ticket).exclude(tag_id__in=wanted).delete()
    TicketTag.objects.bulk_create(
        TicketTag(
            tenant_id=ticket.tenant_id,
            ticket=ticket,
            tag_id=tag_id,
            created_at=at,
            **actor.snapshot(),
        )
        for tag_id in wanted
        if tag_id not in before
    )
    change_record(
        ticket, ChangeKind.TAG, before=before, after=wanted, actor=actor, at=at, batch=batch
    )
    touch(ticket)
    return ticket


def _check(tag_ids: set[int]) -> None:
    known = Tag.objects.filter(pk__in=tag_ids, is_active=True).count()
    if known != len(tag_ids):
        raise TagUnknown(field="tags")
