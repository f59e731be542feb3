"""What an agent has begun to write, and what was answered meanwhile (screens.md, agent console)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from accounts.models import StaffMember
from tickets.exceptions import AnsweredMeanwhile
from tickets.locks import lock_tickets
from tickets.models import AgentDraft, Ticket, TicketMessage
from tickets.services.messages import BODY_MAX
from tickets.states import DraftKind


@transaction.atomic
def draft_save(
    *,
    ticket_id: int,
    kind: DraftKind,
    body: str,
    base: int,
    device: str,
    seen_message_id: int,
    actor: Actor,
    at: datetime,
) -> tuple[AgentDraft | None, bool]:
    """Keep what the actor typed; return the draft in force and whether it is this one.

    ``base`` is the version that the page started from, 0 for none. A version that another device saved meanwhile stays:
    the page is told of it and asks whose text goes on; so is one whose draft was sent meanwhile. An empty text
    discards the draft.
    """
    card = StaffMember.objects.get(user=actor.user)
    # The ticket's lock makes two first saves wait for each other; nothing of the ticket is written.
    ticket = lock_tickets().only("pk", "tenant_id").get(pk=ticket_id)
    draft = AgentDraft.objects.filter(ticket=ticket, staff_member=card, kind=kind).first()
    if draft is not None and draft.version != base and draft.device != device:
        return draft, False
    if not body.strip():
        if draft is not None:
            draft.delete()
        return None, True
    if draft is None and base:
        return None, False
    if draft is None:
        draft = AgentDraft(
            tenant_id=ticket.tenant_id,
            ticket=ticket,
            staff_member=card,
            kind=kind,
            version=0,
        )
    draft.seen_message_id = max(draft.seen_message_id, seen_message_id)
    draft.body, draft.device, draft.saved_at = body[:BODY_MAX], device, at
    draft.version += 1
    draft.save()
    return draft, True


def draft_discard(*, ticket_id: int, kind: DraftKind, actor: Actor) -> None:
    """Drop the actor's draft: it was sent. In the caller's transaction."""
    AgentDraft.objects.filter(
        ticket_id=ticket_id, staff_member__user=actor.user, kind=kind
    ).delete()


def answered_refuse(*, ticket_id: int, seen_message_id: int, idempotency_key: str | None) -> None:
    """Refuse a reply whose writer has not read what was written meanwhile: AnsweredMeanwhile with those messages.

    ``seen_message_id`` is the last message that the writer had read. Also what they sent from another device counts;
    automatic messages and a repeated submission do not. Holds the ticket's lock until the caller's transaction ends,
    so that nobody answers between this look and the reply.
    """
    lock_tickets().only("pk").get(pk=ticket_id)
    messages = TicketMessage.objects.filter(ticket_id=ticket_id)
    if idempotency_key and messages.filter(idempotency_key=idempotency_key).exists():
        return
    unseen = messages.filter(pk__gt=seen_message_id, is_automatic=False)
    found = list(unseen.defer("search").order_by("pk"))
    if found:
        raise AnsweredMeanwhile(found)


def newest_message_id(ticket: Ticket) -> int:
    """Return the id of the last public message, 0 when there is none."""
    return (
        TicketMessage.objects.filter(ticket=ticket)
        .order_by("-pk")
        .values_list("pk", flat=True)
        .first()
        or 0
    )
