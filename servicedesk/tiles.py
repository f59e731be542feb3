"""Figures of the account managers' desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from accounts.models import StaffMember, Tenant
from servicedesk.models import ServiceOrder
from servicedesk.states import State
from supportplans.models import Subscription
from supportplans.selectors.subscriptions import Quota, quotas_at, term_days
from supportplans.states import PlanCode, SubscriptionState

ENDING_DAYS = 30
# Two queries each, within the page's budget.
PORTFOLIO_SHOWN = 4


@dataclass(frozen=True)
class Tiles:
    """The row of figures at the head of the desk."""

    customers: int
    waiting: int
    in_progress: int
    ending: int


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
    """Return the manager's figures: own customers and their open service orders. Two queries."""
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
    return Tiles(customers["all"], orders["waiting"], orders["in_progress"], customers["ending"])


def portfolio(staff: StaffMember | None, at: datetime) -> list[Customer]:
    """Return the manager's customers whose terms end first."""
    rows = (
        Subscription.objects.filter(tenant__account_manager=staff, state=SubscriptionState.ACTIVE)
        .exclude(plan__code=PlanCode.LITE)
        .select_related("tenant", "plan")
        .order_by("ends")[:PORTFOLIO_SHOWN]
    )
    return [
        Customer(
            tenant=row.tenant,
            subscription=row,
            days_left=term_days(row, at).left,
            assurance=next(
                (
                    q
                    for q in quotas_at(row, at)
                    if q.entitlement.item.code == "major_event_assurance"
                ),
                None,
            ),
        )
        for row in rows
    ]
