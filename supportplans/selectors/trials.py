"""Reading applications for a trial."""

from __future__ import annotations

from datetime import datetime

from supportplans.models import TrialApplication
from supportplans.selectors.subscriptions import subscription_current
from supportplans.states import TrialState

PAGE = 50


def trial_refusal(tenant_id: int, at: datetime) -> str:
    """Return why the account cannot apply for a trial: ``granted_before``, ``plan_runs``, or an empty text."""
    granted = TrialApplication.objects.filter(tenant_id=tenant_id, state=TrialState.GRANTED)
    if granted.exists():
        return "granted_before"
    running = subscription_current(tenant_id)
    return "plan_runs" if running is not None and running.ends > at else ""


def trial_open_for(tenant_id: int) -> TrialApplication | None:
    """Return the tenant's application that is not decided yet, with its plan."""
    return (
        TrialApplication.objects.filter(tenant_id=tenant_id, state=TrialState.REQUESTED)
        .select_related("plan")
        .first()
    )


def trials_to_decide(after: int | None = None) -> list[TrialApplication]:
    """Return one page of open applications of all tenants, the oldest first, by key; one row more says that there is
    more."""
    waiting = TrialApplication.objects.filter(state=TrialState.REQUESTED)
    if after is not None:
        waiting = waiting.filter(pk__gt=after)
    return list(waiting.select_related("tenant", "plan").order_by("pk")[: PAGE + 1])
