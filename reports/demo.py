"""Demo data of reports: last month's report of the enterprise customers, made by the same service as any other."""

from __future__ import annotations

from datetime import datetime

from core.tenancy import scope
from reports.selectors import month_to_report, tenants_due
from reports.services import report_make


def load(at: datetime) -> None:
    """Make what is missing."""
    month = month_to_report(at)
    with scope.staff():
        due = list(tenants_due(month).values_list("pk", flat=True))
    for tenant_id in due:
        report_make(tenant_id=tenant_id, month=month, at=at)
