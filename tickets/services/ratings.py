"""Rating the help."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from tickets.exceptions import RatingRefused
from tickets.locks import lock_tickets
from tickets.models import Rating
from tickets.services.timeline import event_write, touch
from tickets.states import DONE_STATES, TicketEventKind


@transaction.atomic
def ticket_rate(
    *,
    ticket_id: int,
    score: int,
    comment: str,
    actor: Actor,
    at: datetime,
    reasons: Sequence[str] = (),
) -> Rating:
    """Rate a solved or closed ticket, once, with reasons (``RatingReason``). Raises RatingRefused."""
    ticket = lock_tickets().get(pk=ticket_id)
    if ticket.state not in DONE_STATES or Rating.objects.filter(ticket=ticket).exists():
        raise RatingRefused
    rating = Rating.objects.create(
        tenant_id=ticket.tenant_id,
        ticket=ticket,
        score=score,
        reasons=list(reasons),
        comment=comment.strip(),
        created_at=at,
        **actor.snapshot(),
    )
    event_write(ticket, TicketEventKind.RATED, actor=actor, at=at, score=score)
    touch(ticket)
    return rating
