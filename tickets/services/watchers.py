"""Colleagues who follow a ticket. Members work tickets (domain.md §6), so any of them adds and removes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from messaging.services import notify
from tickets.exceptions import WatcherUnfit
from tickets.live import ticket_topic
from tickets.locks import lock_ticket_in_force
from tickets.models import Ticket, Watcher
from tickets.selectors.watchers import people_of
from tickets.services.timeline import event_write, touch
from tickets.states import TicketEventKind


@transaction.atomic
def watcher_add(*, ticket_id: int, user_id: int, actor: Actor, at: datetime) -> Ticket:
    """Let an authorised person of the ticket's tenant follow it, and tell them; nothing happens the second time.

    Raises WatcherUnfit for anybody else.
    """
    ticket = lock_ticket_in_force(ticket_id)
    place = people_of(ticket.tenant_id).filter(user_id=user_id).first()
    if place is None:
        raise WatcherUnfit(field="user")
    watcher, is_new = Watcher.objects.get_or_create(
        tenant_id=ticket.tenant_id,
        ticket=ticket,
        user=place.user,
        defaults={"name": str(place.user), "created_at": at, **actor.snapshot()},
    )
    if not is_new and watcher.removed_at is None:
        return ticket
    if not is_new:
        watcher.removed_at = None
        watcher.save(update_fields=["removed_at"])
    event_write(ticket, TicketEventKind.WATCHER_ADDED, actor=actor, at=at, name=watcher.name)
    if actor.user is None or user_id != actor.user.pk:
        notify(
            "tickets.watching",
            key=f"ticket-{ticket.pk}-watcher-{user_id}-{at:%Y%m%d%H%M%S}",
            audience=[f"user:{user_id}"],
            context={"number": ticket.number, "title": ticket.title, "by": actor.name},
            url=ticket.get_absolute_url(),
            thread=ticket_topic(ticket.pk),
            tenant_id=ticket.tenant_id,
            at=at,
        )
    touch(ticket)
    return ticket


@transaction.atomic
def watcher_remove(*, ticket_id: int, user_id: int, actor: Actor, at: datetime) -> Ticket:
    """Let someone follow a ticket no longer; nothing happens when they do not."""
    ticket = lock_ticket_in_force(ticket_id)
    watcher = Watcher.objects.filter(ticket=ticket, user_id=user_id, removed_at=None).first()
    if watcher is None:
        return ticket
    watcher.removed_at = at
    watcher.save(update_fields=["removed_at"])
    event_write(ticket, TicketEventKind.WATCHER_REMOVED, actor=actor, at=at, name=watcher.name)
    touch(ticket)
    return ticket
