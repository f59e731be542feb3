"""The audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.access import Actor
from accounts.models import AuditEntry
from core.rows import insert_new


def audit_record(
    *,
    action: str,
    subject: str,
    actor: Actor,
    at: datetime,
    tenant_id: int | None,
    details: dict[str, Any] | None = None,
) -> None:
    """Add one line to the audit trail, in the caller's transaction. ``action`` is ``"<app>.<verb>"``."""
    entry = AuditEntry(
        tenant_id=tenant_id,
        action=action,
        subject=subject[:120],
        details=details or {},
        address=actor.address,
        created_at=at,
        **actor.snapshot(),
    )
    # No RETURNING: customers may add to the trail, not read it.
    insert_new(entry)
