"""Finance's desk: revenue by month and plan, and what is deferred."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import staff_view
from accounts.models.users import StaffRole
from billing.revenue import month_of
from billing.revenue_forms import MONTH, SHOWN_MONTHS, RevenueFilter, months_back
from billing.revenue_table import plan_labels, revenue_chart, revenue_headers, revenue_rows
from billing.selectors.revenue import revenue_between
from core import clock
from core.charts import render_svg
from core.exports import ExportFormat, export_response


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_revenue(request: HttpRequest) -> HttpResponse:
    """Show revenue by month and plan, with its chart and what is deferred."""
    at = clock.now()
    present = month_of(at)
    shown = {"first": months_back(present, SHOWN_MONTHS - 1), "last": present}
    form = RevenueFilter(request.GET or None, initial=shown)
    first, last = form.months(present)
    revenue = revenue_between(first, last, at)
    chart = revenue_chart(revenue)
    context = {
        "form": form,
        "revenue": revenue,
        "plans": plan_labels(),
        "chart": chart,
        "svg": render_svg(chart) if chart else "",
        "range": f"first={first.strftime(MONTH)}&last={last.strftime(MONTH)}",
        "formats": ExportFormat.choices,
    }
    return render(request, "billing/finance_revenue.html", context)


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_revenue_export(request: HttpRequest) -> HttpResponse:
    """Hand out the same table as a file. A range that makes no sense leads back to the page."""
    form, at = RevenueFilter(request.GET), clock.now()
    if not form.is_valid():
        return redirect("billing:finance_revenue")
    first, last = form.months(month_of(at))
    return export_response(
        name=f"{_('收入')}-{first.strftime(MONTH)}-{last.strftime(MONTH)}",
        headers=revenue_headers(),
        rows=revenue_rows(revenue_between(first, last, at)),
        file_format=ExportFormat(form.cleaned_data["format"] or ExportFormat.CSV),
    )
