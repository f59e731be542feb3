"""Closing what the plans' service does not contain (guide 1.3)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from accounts.models import User
from core.events import publish
from tickets.events import TicketClosed
from tickets.exceptions import TicketMoveRefused
from tickets.locks import lock_tickets
from tickets.models import ScopeItem, Ticket
from tickets.services.replies import REPLY_FIELDS, staff_reply_write
from tickets.services.timeline import event_write, touch
from tickets.states import TicketEventKind, TicketState


@transaction.atomic
def ticket_close_out_of_scope(
    *, ticket_id: int, scope_item_id: int, actor: Actor, at: datetime
) -> Ticket:
    """Send the standard explanation of an item of the list as a public reply, and close the ticket.

    The reply is a response like any other: the clock stops. It is written in the language of who submitted, and names
    where help is to be had. The customer may answer for seven days, which reopens the ticket. Raises TicketMoveRefused.
    """
    item = ScopeItem.objects.get(pk=scope_item_id, is_active=True)
    ticket = lock_tickets().select_related("tenant").get(pk=ticket_id)
    if not ticket.can_become(TicketState.CLOSED):
        raise TicketMoveRefused
    writer = User.objects.filter(pk=ticket.actor_id or 0).first()
    body = item.reply_en if writer and writer.language.startswith("en") else item.reply
    staff_reply_write(ticket=ticket, body=body, actor=actor, at=at)
    ticket.state = TicketState.CLOSED
    ticket.resolved_at = ticket.closed_at = at
    ticket.closes_at = None
    ticket.save(update_fields=[*REPLY_FIELDS, "resolved_at", "closed_at", "closes_at"])
    event_write(
        ticket,
        TicketEventKind.OUT_OF_SCOPE,
        actor=actor,
        at=at,
        item=item.code,
        name=item.name,
        name_en=item.name_en,
    )
    publish(TicketClosed(tenant_id=ticket.tenant_id, ticket_id=ticket.pk, at=at))
    touch(ticket)
    return ticket
