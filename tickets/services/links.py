"""Linking tickets of one customer with each other (domain.md §5)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from tickets.desk_states import ChangeKind, LinkKind
from tickets.exceptions import LinkRefused
from tickets.locks import lock_tickets
from tickets.models import Ticket, TicketLink
from tickets.services.changes import Batch, change_record
from tickets.services.timeline import event_write, touch
from tickets.states import TicketEventKind


@transaction.atomic
def link_add(
    *,
    ticket_id: int,
    other_id: int,
    actor: Actor,
    at: datetime,
    kind: LinkKind = LinkKind.RELATED,
    batch: Batch | None = None,
) -> TicketLink:
    """Link two tickets of one customer; both timelines say so. A link that is there already stays as it is.

    Raises LinkRefused for one and the same ticket, another customer's, or one that leads elsewhere.
    """
    later, earlier = _both(ticket_id, other_id)
    link, is_new = link_write(later, earlier, kind, actor=actor, at=at)
    if is_new:
        change_record(
            Ticket(pk=ticket_id, tenant_id=later.tenant_id),
            ChangeKind.LINK,
            before=None,
            after={"other": other_id, "kind": link.kind},
            actor=actor,
            at=at,
            batch=batch,
        )
    return link


@transaction.atomic
def link_remove(
    *, ticket_id: int, other_id: int, actor: Actor, at: datetime, batch: Batch | None = None
) -> None:
    """Take a link away; both timelines keep that it was there. Raises LinkRefused where there is none."""
    later, earlier = _both(ticket_id, other_id)
    link = TicketLink.objects.filter(ticket=later, other=earlier).first()
    if link is None:
        raise LinkRefused
    kind = link.kind
    link.delete()
    _tell(later, earlier, TicketEventKind.UNLINKED, actor=actor, at=at)
    change_record(
        Ticket(pk=ticket_id, tenant_id=later.tenant_id),
        ChangeKind.LINK,
        before={"other": other_id, "kind": kind},
        after=None,
        actor=actor,
        at=at,
        batch=batch,
    )


def link_write(
    later: Ticket, earlier: Ticket, kind: LinkKind, *, actor: Actor, at: datetime
) -> tuple[TicketLink, bool]:
    """Write a link and its lines of history; return it and whether it is new. The caller holds both locks, or has
    just made the later one."""
    link, is_new = TicketLink.objects.get_or_create(
        tenant_id=later.tenant_id,
        ticket=later,
        other=earlier,
        defaults={"kind": kind, "created_at": at, **actor.snapshot()},
    )
    if is_new:
        _tell(later, earlier, TicketEventKind.LINKED, actor=actor, at=at, link=kind.value)
    return link, is_new


def _both(ticket_id: int, other_id: int) -> tuple[Ticket, Ticket]:
    """Return two tickets of one customer, locked, the later one first. Raises LinkRefused."""
    found = list(lock_tickets().filter(pk__in=[ticket_id, other_id]))
    if (
        len(found) != 2  # noqa: PLR2004  (a pair)
        or found[0].tenant_id != found[1].tenant_id
        or any(ticket.merged_into_id for ticket in found)
    ):
        raise LinkRefused
    return found[1], found[0]


def _tell(
    later: Ticket,
    earlier: Ticket,
    event: TicketEventKind,
    *,
    actor: Actor,
    at: datetime,
    **details: str,
) -> None:
    for ticket, other in ((later, earlier), (earlier, later)):
        event_write(ticket, event, actor=actor, at=at, number=other.number, **details)
        touch(ticket)
