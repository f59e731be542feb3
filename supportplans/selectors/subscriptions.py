"""Reading a tenant's subscription and what was used of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from core import clock
from supportplans.models import Entitlement, QuotaUse, Subscription
from supportplans.states import Basis, EntitlementKind, QuotaState, SubscriptionState

DAY = timedelta(days=1)
ASSURANCE = "major_event_assurance"


# SQL, because making the same query from the models takes longer than the database does to answer it.
_PAID_PLAN_RUNS = """
SELECT EXISTS (SELECT 1 FROM supportplans_subscription
                WHERE tenant_id = %s AND state = %s AND basis = %s AND ends > %s)
"""


@dataclass(frozen=True)
class TermDays:
    """How far a term has run, in full days of 24 hours."""

    total: int
    used: int

    @property
    def left(self) -> int:
        """Return the days that are left."""
        return self.total - self.used


@dataclass(frozen=True)
class Quota:
    """A counted service of the current service year."""

    entitlement: Entitlement
    used: int
    held: int

    @property
    def total(self) -> int:
        """Return how many the plan gives."""
        return self.entitlement.quota or 0

    @property
    def left(self) -> int:
        """Return how many can still be asked for; never negative, even after a downgrade."""
        return max(0, self.total - self.used - self.held)


def subscription_current(tenant_id: int) -> Subscription | None:
    """Return the active subscription with its plan, or None for standard service."""
    return (
        Subscription.objects.filter(tenant_id=tenant_id, state=SubscriptionState.ACTIVE)
        .select_related("plan")
        .first()
    )


def paid_plan_runs(tenant_id: int, at: datetime) -> bool:
    """Return True while a plan that was paid for runs: another one cannot be bought beside it."""
    state, basis = SubscriptionState.ACTIVE.value, Basis.PAID.value
    with connection.cursor() as cursor:
        cursor.execute(_PAID_PLAN_RUNS, [tenant_id, state, basis, at])
        return bool(cursor.fetchone()[0])


def subscription_last(tenant_id: int) -> Subscription | None:
    """Return the newest subscription of any state: the plan page shows an ended one as 无效."""
    return (
        Subscription.objects.filter(tenant_id=tenant_id)
        .select_related("plan")
        .order_by("-starts", "-id")
        .first()
    )


def term_days(subscription: Subscription, at: datetime) -> TermDays:
    """Return the days of the whole term and the full days that have passed at ``at``."""
    total = (subscription.ends - subscription.starts) // DAY
    used = (min(max(at, subscription.starts), subscription.ends) - subscription.starts) // DAY
    return TermDays(total=total, used=used)


def service_year_start(subscription: Subscription, at: datetime) -> datetime:
    """Return the start of the service year that ``at`` lies in: years count from the anchor (domain.md §7)."""
    years = max(0, clock.local(at).year - clock.local(subscription.anchor).year)
    start = clock.add_years(subscription.anchor, years)
    return start if start <= at or years == 0 else clock.add_years(subscription.anchor, years - 1)


def quotas_at(subscription: Subscription, at: datetime) -> list[Quota]:
    """Return the counted services of the plan with their use in this service year. Two queries."""
    counted = list(
        Entitlement.objects.filter(plan_id=subscription.plan_id, kind=EntitlementKind.QUOTA)
        .select_related("item")
        .order_by("item__position")
    )
    uses: dict[tuple[int, str], int] = {}
    for item_id, state in QuotaUse.objects.filter(
        tenant_id=subscription.tenant_id,
        service_year_start=service_year_start(subscription, at),
        state__in=[QuotaState.HELD, QuotaState.USED],
    ).values_list("item_id", "state"):
        uses[item_id, state] = uses.get((item_id, state), 0) + 1
    return [
        Quota(
            row,
            used=uses.get((row.item_id, QuotaState.USED), 0),
            held=uses.get((row.item_id, QuotaState.HELD), 0),
        )
        for row in counted
    ]


def assurance_quotas(subscriptions: Collection[Subscription], at: datetime) -> dict[int, Quota]:
    """Return the major-event assurance of each subscription whose plan counts one, by the subscription's id.

    Two queries for any number of them.
    """
    counted = {
        row.plan_id: row
        for row in Entitlement.objects.filter(
            plan_id__in={row.plan_id for row in subscriptions},
            item__code=ASSURANCE,
            kind=EntitlementKind.QUOTA,
        )
    }
    uses = Counter(
        QuotaUse.objects.filter(
            tenant_id__in={row.tenant_id for row in subscriptions},
            item__code=ASSURANCE,
            state__in=[QuotaState.HELD, QuotaState.USED],
        ).values_list("tenant_id", "service_year_start", "state")
    )
    found = {}
    for row in subscriptions:
        if row.plan_id in counted:
            year = (row.tenant_id, service_year_start(row, at))
            used, held = uses[*year, QuotaState.USED], uses[*year, QuotaState.HELD]
            found[row.pk] = Quota(counted[row.plan_id], used=used, held=held)
    return found
