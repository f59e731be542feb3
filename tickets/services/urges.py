"""Urging 催单: once per target period, visible to everyone, and someone is told (domain.md §5)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import Actor
from core.clock import local
from messaging.services import notify
from tickets import followup
from tickets.exceptions import TicketMoveRefused, UrgeTooEarly
from tickets.locks import lock_ticket_in_force
from tickets.models import Clock, Ticket
from tickets.services.timeline import event_write, touch
from tickets.states import URGEABLE_STATES, TicketEventKind


@transaction.atomic
def ticket_urge(*, ticket_id: int, actor: Actor, at: datetime) -> Ticket:
    """Urge a ticket that is in our hands: chip and line of history for all, a message to who is on it.

    The period is the target of the clock that runs or ran last. No clock changes. Raises UrgeTooEarly with the instant
    from which it is possible, TicketMoveRefused while it is the customer's turn or the ticket has ended.
    """
    ticket = lock_ticket_in_force(ticket_id)
    if ticket.state not in URGEABLE_STATES:
        raise TicketMoveRefused
    newest = Clock.objects.filter(ticket=ticket).order_by("-started_at", "-id")
    possible = followup.urge_possible_at(
        submitted=ticket.created_at,
        last_urge=ticket.urged_at,
        target_minutes=newest.values_list("target_minutes", flat=True)[:1].get(),
    )
    if at < possible:
        raise UrgeTooEarly(_("%(time)s 起可以催单") % {"time": f"{local(possible):%m-%d %H:%M}"})
    ticket.urged_at = at
    ticket.save(update_fields=["urged_at"])
    event_write(ticket, TicketEventKind.URGED, actor=actor, at=at)
    notify(
        "tickets.urged",
        key=f"ticket-{ticket.pk}-urged-{at:%Y%m%d%H%M%S}",
        audience=[f"user:{ticket.assignee.user_id}" if ticket.assignee else "staff:team_lead"],
        context={
            "number": ticket.number,
            "title": ticket.title,
            "customer": ticket.tenant.name,
            "by": actor.name,
        },
        url=f"/console/tickets/{ticket.number}/",
        tenant_id=ticket.tenant_id,
        at=at,
    )
    touch(ticket)
    return ticket
