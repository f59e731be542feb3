"""Taking back an own message for two minutes (domain.md §5; docs/adr/0010).

The text is gone for everyone, and both sides see that something was recalled. What it does to promises: a silence lasts
as long as a word of the customer's is unanswered. While another one is, the clock runs on from where it started; when
none is left, it stops as withdrawn. Until the first response the submission itself stands: its clock always runs on.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.access import Actor
from core.jobs import enqueue
from tickets import followup
from tickets.exceptions import RecallRefused, RecallTooLate
from tickets.locks import lock_ticket_in_force
from tickets.models import Ticket, TicketEvent, TicketMessage
from tickets.services.clocks import clock_stop
from tickets.services.timeline import event_write, touch
from tickets.states import ClockOutcome, TicketEventKind, TicketState


@transaction.atomic
def message_recall(*, ticket_id: int, message_id: int, actor: Actor, at: datetime) -> Ticket:
    """Take back an own message with its files; nothing happens the second time.

    A reply that was taken back gives the turn back to the customer where it had been theirs (待客户反馈); a reopening
    stays. Raises RecallRefused for another's message, RecallTooLate after two minutes.
    """
    ticket = lock_ticket_in_force(ticket_id)
    message = _said_to(ticket).filter(pk=message_id).defer("search").first()
    if message is None or actor.user is None or actor.user.pk != message.actor_id:
        raise RecallRefused
    if message.is_staff or message.is_automatic:
        raise RecallRefused
    if message.recalled_at is not None:
        return ticket
    if not followup.can_recall(sent=message.created_at, at=at):
        raise RecallTooLate
    erased = _erase(ticket, message, at)
    if ticket.due_at is not None and not _is_waiting(ticket):
        clock_stop(ticket=ticket, outcome=ClockOutcome.WITHDRAWN, actor=actor, at=at)
        if ticket.state == TicketState.PROCESSING and _had_resumed(ticket, message):
            ticket.state = TicketState.WAITING
        ticket.save(update_fields=["due_at", "state"])
    event_write(ticket, TicketEventKind.RECALLED, actor=actor, at=at, message=message.pk)
    for pk in erased:
        enqueue("tickets.attachments_discard", message_id=pk)
    touch(ticket)
    return ticket


def _erase(ticket: Ticket, message: TicketMessage, at: datetime) -> list[int]:
    """Take the text away, also from the copies that a split ticket began with; return the ids of the messages.

    A copy has the author, the instant and the words of its original. The other ticket's clock is left as it is.
    """
    same = TicketMessage.objects.filter(
        tenant_id=ticket.tenant_id,
        actor_id=message.actor_id,
        created_at=message.created_at,
        body=message.body,
        recalled_at=None,
    )
    erased = list(same.values_list("pk", flat=True))
    same.filter(pk__in=erased).update(body="", search=None, recalled_at=at)
    return erased


def _is_waiting(ticket: Ticket) -> bool:
    """Return True while something that the customer said has no answer. Ids follow each other under the lock."""
    if ticket.first_response_at is None:
        return True
    said = _said_to(ticket).filter(is_automatic=False)
    answered = said.filter(is_staff=True).order_by("-pk").values_list("pk", flat=True).first()
    return said.filter(is_staff=False, recalled_at=None, pk__gt=answered or 0).exists()


def _said_to(ticket: Ticket) -> QuerySet[TicketMessage]:
    """Return what was said to a ticket and to those that were merged into it."""
    return TicketMessage.objects.filter(Q(ticket=ticket) | Q(ticket__merged_into=ticket))


def _had_resumed(ticket: Ticket, message: TicketMessage) -> bool:
    """Return True if this message took the turn from the customer back to us."""
    return TicketEvent.objects.filter(
        ticket=ticket,
        kind=TicketEventKind.RESUMED,
        created_at=message.created_at,
        actor_id=message.actor_id,
    ).exists()
