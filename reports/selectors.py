"""Reading reports, and who is due one."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Tenant
from reports.models import MonthlyReport
from reports.months import month_after, month_before, month_start
from supportplans.models import Subscription
from supportplans.states import PlanCode


def report_list_for(tenant: Tenant) -> QuerySet[MonthlyReport]:
    """Return a customer's reports, newest first."""
    return MonthlyReport.objects.filter(tenant=tenant).order_by("-month")


def reports_of_month(month: datetime) -> QuerySet[MonthlyReport]:
    """Return all customers' reports of one month."""
    return (
        MonthlyReport.objects.filter(month=month.date())
        .select_related("tenant")
        .order_by("tenant__name")
    )


def month_to_report(at: datetime) -> datetime:
    """Return the first instant of the month that is reported on now: the one before."""
    return month_before(month_start(at))


def tenants_due(month: datetime) -> QuerySet[Tenant]:
    """Return customers that were on enterprise for some of the month and have no report of it yet.

    The first report is about the month of joining, also a partial one, made from the month after (domain.md §8).
    """
    end = month_after(month)
    covered = Subscription.objects.filter(
        tenant=OuterRef("pk"), plan__code=PlanCode.ENTERPRISE, starts__lt=end, ends__gt=month
    ).filter(Q(ended_at=None) | Q(ended_at__gt=month))
    made = MonthlyReport.objects.filter(tenant=OuterRef("pk"), month=month.date())
    return Tenant.objects.filter(Exists(covered), ~Exists(made), is_active=True).order_by("pk")
