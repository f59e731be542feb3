"""Figures: a lead's page with its file, and the customer's own."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import customer_view, staff_view
from accounts.models.users import StaffRole
from core import clock
from core.charts import render_svg
from core.exports import ExportFormat, export_response
from tickets.figures_forms import MONTH, FiguresFilter
from tickets.figures_tables import figures_headers, figures_of, figures_rows

leads = staff_view(StaffRole.TEAM_LEAD, StaffRole.DUTY_MANAGER)


@leads
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Show how promises were kept, how fast answers came, what is left to do and how it was rated."""
    return render(request, "tickets/figures.html", _page(request, for_staff=True))


@customer_view()
@require_safe
def own_figures(request: HttpRequest) -> HttpResponse:
    """Show the same of the customer's own tickets."""
    return render(request, "tickets/own_figures.html", _page(request, for_staff=False))


@leads
@require_safe
def figures_export(request: HttpRequest) -> HttpResponse:
    """Hand out the tables as a file. A range that makes no sense leads back to the page."""
    return _file(request, "tickets:figures", for_staff=True)


@customer_view()
@require_safe
def own_figures_export(request: HttpRequest) -> HttpResponse:
    """Hand out the customer's tables as a file."""
    return _file(request, "tickets:own_figures", for_staff=False)


def _page(request: HttpRequest, *, for_staff: bool) -> dict[str, Any]:
    at = clock.now()
    form = FiguresFilter(request.GET or None)
    first, last = form.months(at)
    found = figures_of(first, last, form.narrowed, at=at, for_staff=for_staff)
    shown = {"first": first.strftime(MONTH), "last": last.strftime(MONTH)}
    if not form.is_bound:
        form = FiguresFilter(initial=shown)
    query = request.GET.copy()
    query.update({name: value for name, value in shown.items() if not query.get(name)})
    return {
        "form": form,
        "figures": found,
        "charts": [(chart, render_svg(chart)) for chart in found.charts],
        "query": query.urlencode(),
        "formats": ExportFormat.choices,
        "at": at,
    }


def _file(request: HttpRequest, page: str, *, for_staff: bool) -> HttpResponse:
    form, at = FiguresFilter(request.GET), clock.now()
    if not form.is_valid():
        return redirect(page)
    first, last = form.months(at)
    found = figures_of(first, last, form.narrowed, at=at, for_staff=for_staff)
    return export_response(
        name=f"{_('工单报表')}-{first.strftime(MONTH)}-{last.strftime(MONTH)}",
        headers=figures_headers(),
        rows=figures_rows(found),
        file_format=ExportFormat(form.cleaned_data["format"] or ExportFormat.CSV),
    )
