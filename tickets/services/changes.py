"""What an agent changed, kept for taking it back (services/undo.py)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from accounts.access import Actor
from tickets.desk_states import ChangeKind
from tickets.models import Ticket, TicketChange

Batch = uuid.UUID


def change_record(
    ticket: Ticket,
    kind: ChangeKind,
    *,
    before: Any,
    after: Any,
    actor: Actor,
    at: datetime,
    batch: Batch | None = None,
) -> None:
    """Keep one change by a person of staff. The changes of one request share ``batch`` and are taken back together.

    Staff's scope only; the caller holds the ticket's lock.
    """
    TicketChange.objects.create(
        tenant_id=ticket.tenant_id,
        ticket=ticket,
        kind=kind,
        before=before,
        after=after,
        batch=batch or uuid.uuid4(),
        created_at=at,
        **actor.snapshot(),
    )
