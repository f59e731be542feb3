"""Reactions of this app to its own events: what hangs on a plan follows it in the same transaction."""

from __future__ import annotations

from core.events import subscribe
from supportplans.events import SubscriptionChanged
from supportplans.services.links import links_follow_plan


@subscribe(SubscriptionChanged)
def subscription_changed(event: SubscriptionChanged) -> None:
    """End or renew the standing of a principal's linked accounts when its plan changes."""
    if event.from_plan == event.to_plan:
        return
    links_follow_plan(tenant_id=event.tenant_id, plan_code=event.to_plan, at=event.at)
