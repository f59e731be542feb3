"""What upper rooms can react to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SubscriptionChanged:
    """A tenant's plan changed: ``kind`` is started, upgraded, downgraded, renewed, expired or cancelled.

    ``at`` is the instant from which it holds (for an expiry the end of the term, not the instant of the sweep).
    """

    tenant_id: int
    subscription_id: int
    kind: str
    from_plan: str
    to_plan: str
    at: datetime


@dataclass(frozen=True)
class LinkChanged:
    """A linked account came under a principal, left it, or the principal's restore priority changed.

    ``tenant_id`` is the linked account. ``priority`` is the principal's restore priority from ``at`` on, None without
    a link.
    """

    tenant_id: int
    priority: int | None
    at: datetime
