"""Making monthly reports: fetch, write, print, keep the file, and hand it over as a service order (domain.md §8)."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.db import transaction

from accounts.access import SYSTEM
from accounts.models import Tenant
from core.tenancy import scope
from messaging.services import notify
from reports.chapters import ticket_chapter
from reports.models import MonthlyReport
from reports.months import month_after
from reports.render import Printed, ReportDocument, print_report
from reports.sources.tickets import PortalTickets
from reports.states import ReportState
from servicedesk.services import service_orders
from servicedesk.states import DeliverableKind, DeliveryWay, Origin
from supportplans.selectors.coverage import coverage_at

ITEM = "monthly_report"
# Chapters whose sources are not connected yet are named in the report (guide 1.5.8, 注意).
NOT_CONNECTED = ("云服务资源实例", "资源负载监控", "安全防护")


def report_make(*, tenant_id: int, month: datetime, at: datetime) -> MonthlyReport:
    """Make the report of one month, once; a second call returns the first one's.

    Opens its own scopes: figures are read in one transaction, the PDF is typeset outside any, the file is kept in a
    second one. ``month`` is the month's first instant, Shanghai time.
    """
    with scope.staff():
        made = MonthlyReport.objects.filter(tenant_id=tenant_id, month=month.date()).first()
        if made is not None:
            return made
        document = _document(tenant_id, month, at)
    printed = print_report(document, str(settings.BRAND["name"]))
    with scope.staff():
        return _keep(tenant_id, month, document, printed, at)


def _document(tenant_id: int, month: datetime, at: datetime) -> ReportDocument:
    tenant = Tenant.objects.select_related("service_manager").get(pk=tenant_id)
    end = month_after(month)
    figures = PortalTickets().fetch(tenant_id, month, end)
    return ReportDocument(
        customer=tenant.name,
        plan=coverage_at(tenant_id, min(end, at)).plan.name,
        month=month,
        made_at=at,
        manager=tenant.service_manager.display_name if tenant.service_manager else "",
        tickets=ticket_chapter(figures),
        missing_sources=NOT_CONNECTED,
    )


@transaction.atomic
def _keep(
    tenant_id: int, month: datetime, document: ReportDocument, printed: Printed, at: datetime
) -> MonthlyReport:
    """Store file and service order. Of two that made the same report at once, the second one's is dropped."""
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
    earlier = MonthlyReport.objects.filter(tenant=tenant, month=month.date()).first()
    if earlier is not None:
        return earlier
    report = MonthlyReport(
        tenant=tenant,
        month=month.date(),
        state=ReportState.MADE,
        size=len(printed.content),
        pages=printed.pages,
        summary=document.tickets.findings[0],
        created_at=at,
    )
    order = service_orders.service_order_file(
        tenant_id=tenant_id,
        item_code=ITEM,
        scenario="",
        contact=tenant.contact_name,
        delivery=DeliveryWay.PORTAL,
        fields={"月份": f"{month:%Y-%m}"},
        origin=Origin.SYSTEM,
        actor=SYSTEM,
        at=at,
    )
    upload = InMemoryUploadedFile(
        BytesIO(printed.content), "file", report.name, "application/pdf", report.size, None
    )
    service_orders.deliverable_add(
        order_id=order.pk, kind=DeliverableKind.DELIVERABLE, upload=upload, actor=SYSTEM, at=at
    )
    service_orders.service_order_complete(order_id=order.pk, actor=SYSTEM, at=at)
    report.service_order_number = order.number
    report.file.save(report.name, ContentFile(printed.content), save=False)
    report.save()
    notify(
        "reports.made",
        key=f"{month:%Y-%m}",
        audience=["tenant:administrators"],
        context={"month": f"{month:%Y-%m}", "summary": report.summary},
        url="/support/reports/",
        staff_url="/desk/reports/",
        tenant_id=tenant_id,
        at=at,
    )
    return report
