"""Making reports in the worker."""

from datetime import datetime

from celery import shared_task

from core import clock
from core.jobs import enqueue
from reports import selectors, services

BATCH = 500


@shared_task(name="reports.month_due", scope="staff")
def month_due() -> None:
    """Ask for the reports about last month that are not made yet."""
    month = selectors.month_to_report(clock.now())
    for tenant_id in selectors.tenants_due(month).values_list("pk", flat=True)[:BATCH]:
        enqueue("reports.report_make", tenant_id=tenant_id, month=month.isoformat())


@shared_task(name="reports.report_make", scope="none")
def report_make(tenant_id: int, month: str) -> None:
    """Make one report, once."""
    services.report_make(tenant_id=tenant_id, month=datetime.fromisoformat(month), at=clock.now())
