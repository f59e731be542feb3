"""Drafts of tickets: kept on the server while they are typed, so that a reload or another device goes on with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.access import Actor
from tickets.models import Ticket, TicketDraft
from tickets.selectors.drafts import draft_list_for

# What a draft holds: the names of the form's fields, and how long each may be.
FIELDS = {
    "effect": 20,
    "kind": 20,
    "product_line": 20,
    "category": 20,
    "title": 200,
    "resource": 120,
    "body": 20_000,
    "uploads": 100,
    "follows": 20,
}
DRAFTS_MAX = 20


@transaction.atomic
def draft_save(
    *, tenant_id: int, key: str, content: Mapping[str, Any], actor: Actor, at: datetime
) -> TicketDraft | None:
    """Keep what the form holds now; None when there is nothing to keep: no words yet, or the form was submitted.

    A person has up to ``DRAFTS_MAX`` drafts; the oldest one ends for one more.
    """
    kept = {name: str(content.get(name) or "")[:most] for name, most in FIELDS.items()}
    if not (kept["title"].strip() or kept["body"].strip()) or actor.user is None or not key:
        return None
    if Ticket.objects.filter(tenant_id=tenant_id, idempotency_key=key[:64]).exists():
        return None
    draft, is_new = TicketDraft.objects.get_or_create(
        tenant_id=tenant_id,
        person=actor.user,
        key=key[:64],
        defaults={"content": kept, "created_at": at, "updated_at": at},
    )
    if draft.ended_at is not None:
        return None
    if is_new:
        for oldest in draft_list_for(tenant_id, actor.user)[DRAFTS_MAX:]:
            draft_end(tenant_id=tenant_id, key=oldest.key, actor=actor, at=at)
        return draft
    draft.content, draft.updated_at = kept, at
    draft.save(update_fields=["content", "updated_at"])
    return draft


@transaction.atomic
def draft_end(*, tenant_id: int, key: str, actor: Actor, at: datetime) -> bool:
    """Forget a draft's content, because it was submitted or discarded; False if there is no such draft."""
    drafts = TicketDraft.objects.filter(tenant_id=tenant_id, person=actor.user, key=key)
    return bool(drafts.filter(ended_at=None).update(content={}, ended_at=at))
