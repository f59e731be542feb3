"""Figures of the account managers' desk."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from accounts.models import StaffMember, Tenant
from servicedesk.models import ServiceOrder
from servicedesk.states import State
from supportplans.models import AssuranceWindow, Plan, Subscription
from supportplans.selectors.subscriptions import Quota, assurance_quotas, term_days
from supportplans.states import PlanCode, SubscriptionState, WindowState

ENDING_DAYS = 30
PORTFOLIO_SHOWN = 8


@dataclass(frozen=True)
class Tiles:
    """The row of figures at the head of the desk."""

    customers: int
    waiting: int
    in_progress: int
    ending: int
    windows: int


@dataclass(frozen=True)
class Customer:
    """A customer's line in the portfolio."""

    tenant: Tenant
    subscription: Subscription
    days_left: int
    assurance: Quota | None

    @property
    def ends_soon(self) -> bool:
        """Return True when the renewal is due for a talk."""
        return self.days_left <= ENDING_DAYS


def desk_tiles(staff: StaffMember | None, at: datetime) -> Tiles:
    """Return the manager's figures: own customers, their open service orders and running windows. Three queries."""
    mine = Q(tenant__account_manager=staff)
    orders = ServiceOrder.objects.filter(
        mine, state__in=[State.REQUESTED, State.IN_PROGRESS]
    ).aggregate(
        waiting=Count("id", filter=Q(state=State.REQUESTED)),
        in_progress=Count("id", filter=Q(state=State.IN_PROGRESS)),
    )
    soon = Q(ends__lte=at + timedelta(days=ENDING_DAYS))
    customers = Subscription.objects.filter(mine, state=SubscriptionState.ACTIVE).aggregate(
        all=Count("id"), ending=Count("id", filter=soon)
    )
    windows = AssuranceWindow.objects.filter(
        mine, state=WindowState.APPROVED, starts__lte=at, ends__gt=at
    )
    return Tiles(
        customers=customers["all"],
        waiting=orders["waiting"],
        in_progress=orders["in_progress"],
        ending=customers["ending"],
        windows=windows.count(),
    )


def plans_of(tenant_ids: Collection[int]) -> dict[int, Plan]:
    """Return the plan in force of each tenant that has one. One query."""
    running = Subscription.objects.filter(
        tenant_id__in=tenant_ids, state=SubscriptionState.ACTIVE
    ).select_related("plan")
    return {row.tenant_id: row.plan for row in running}


def portfolio(staff: StaffMember | None, at: datetime) -> list[Customer]:
    """Return the manager's customers whose terms end first. Three queries."""
    rows = list(
        Subscription.objects.filter(tenant__account_manager=staff, state=SubscriptionState.ACTIVE)
        .exclude(plan__code=PlanCode.LITE)
        .select_related("tenant", "plan")
        .order_by("ends")[:PORTFOLIO_SHOWN]
    )
    assurance = assurance_quotas(rows, at)
    return [
        Customer(
            tenant=row.tenant,
            subscription=row,
            days_left=term_days(row, at).left,
            assurance=assurance.get(row.pk),
        )
        for row in rows
    ]
