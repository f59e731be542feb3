"""What upper rooms can react to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class TenantCreated:
    """A customer account was opened."""

    tenant_id: int
    owner_id: int
    at: datetime
