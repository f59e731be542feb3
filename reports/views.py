"""Monthly reports for customers and for those who look after them."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.access import customer_view, identity_of, staff_view
from accounts.models import Tenant
from accounts.models.users import StaffRole
from core import clock
from core.files import PDF, serve_private
from core.jobs import enqueue
from reports import selectors
from reports.months import report_due
from reports.states import ReportState
from supportplans.selectors.coverage import coverage_at
from supportplans.states import PlanCode

PAGE_SIZE = 12
ROLES = (StaffRole.ACCOUNT_MANAGER, StaffRole.TEAM_LEAD)
SHOWN = 200
# Guide 1.5.8, table 1: which data are read, how, what for.
DATA_USE = (
    (
        gettext_lazy("服务工单数据"),
        gettext_lazy("技术类、业务类工单清单：编号、描述、问题分类、创建时间、解决时间等"),
        gettext_lazy("自动化工具调用工单 API 查询，中途不存储，月报结果按租户隔离存储"),
        gettext_lazy("生成月报“服务工单”内容"),
    ),
    (
        gettext_lazy("云服务资源实例数据"),
        gettext_lazy(
            "资源列表与数量：资源 ID、名称、状态、规格、创建时间、IP 地址、使用量及基本配置"
        ),
        gettext_lazy("自动化工具调用云服务 API 查询，中途不存储，月报结果按租户隔离存储"),
        gettext_lazy("生成月报“资源概况”内容"),
    ),
    (
        gettext_lazy("资源负载监控数据"),
        gettext_lazy(
            "CPU、内存、磁盘使用率，磁盘读写速率，IP 出入口带宽，并发与新建连接数，网络延迟与丢包率等"
        ),
        gettext_lazy("自动化工具调用云服务 API 查询，中途不存储，月报结果按租户隔离存储"),
        gettext_lazy("生成月报“资源概况”内容"),
    ),
)


@customer_view()
@require_safe
def report_list(request: HttpRequest) -> HttpResponse:
    """List the tenant's reports; others learn which plan has them."""
    tenant = identity_of(request).tenant
    assert tenant is not None  # customer_view lets in no one without
    now = clock.now()
    page = Paginator(selectors.report_list_for(tenant), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "entitled": coverage_at(tenant.pk, now).plan_code == PlanCode.ENTERPRISE,
        "due": report_due(selectors.month_to_report(now)),
    }
    return render(request, "reports/report_list.html", context)


@customer_view()
@require_safe
def report_download(request: HttpRequest, pk: int) -> FileResponse:
    """Hand out the PDF."""
    tenant = identity_of(request).tenant
    assert tenant is not None
    report = get_object_or_404(selectors.report_list_for(tenant), pk=pk, state=ReportState.MADE)
    return serve_private(report.file, name=f"{tenant.name} {report.name}", content_type=PDF)


@customer_view()
@require_safe
def data_use(request: HttpRequest) -> HttpResponse:
    """Say which data are read for a report, how and what for."""
    return render(request, "reports/data_use.html", {"rows": DATA_USE})


@staff_view(*ROLES)
@require_safe
def desk_report_list(request: HttpRequest) -> HttpResponse:
    """Show last month's reports and who still waits for one."""
    month = selectors.month_to_report(clock.now())
    context = {
        "month": month,
        "reports": selectors.reports_of_month(month)[:SHOWN],
        "waiting": selectors.tenants_due(month)[:SHOWN],
        "due": report_due(month),
    }
    return render(request, "reports/desk_report_list.html", context)


@staff_view(*ROLES)
@require_POST
def report_request(request: HttpRequest, tenant_id: int) -> HttpResponse:
    """Have a report made now instead of by the nightly run."""
    month = selectors.month_to_report(clock.now())
    tenant: Tenant = get_object_or_404(selectors.tenants_due(month), pk=tenant_id)
    enqueue("reports.report_make", tenant_id=tenant.pk, month=month.isoformat())
    messages.success(request, _("%(name)s 的月报正在生成") % {"name": tenant.name})
    return redirect("reports:desk_report_list")
