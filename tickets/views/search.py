"""Staff's search: words, filters, kept views, files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import actor_of, identity_of, staff_view
from accounts.services.audit import audit_record
from core import clock
from core.exceptions import DomainError
from core.exports import Cell, ExportFormat, export_response
from tickets.search_forms import SavedViewForm, SearchForm, offer_for
from tickets.selectors import search as selectors
from tickets.services import views as services
from tickets.states import CONSOLE_ROLES, Desk

agents = staff_view(*CONSOLE_ROLES)


@agents
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show what was found, the newest first, beside the person's views."""
    identity = identity_of(request)
    if identity.staff is None:
        raise Http404
    offer = offer_for(identity)
    form = SearchForm(request.GET, offer)
    views = selectors.views_for(identity.staff)
    # The filters of a colleague, within the desks that this person may see.
    counts = selectors.counts_of((v.pk, SearchForm(v.filters, offer).filters()) for v in views)
    context = {
        "form": form,
        "hits": selectors.search_page(form.filters(), after=request.GET.get("after", "")),
        "views": [(view, counts[view.pk], urlencode(view.filters)) for view in views],
        "query": urlencode(form.chosen),
        "chosen": form.chosen,
        "may_share": identity.has_staff_role(*services.SHARING_ROLES),
        "formats": ExportFormat.choices,
        "most": selectors.EXPORT_MOST,
        "staff": identity.staff,
        "at": clock.now(),
    }
    return render(request, "tickets/search.html", context)


@agents
@require_safe
def search_export(request: HttpRequest) -> HttpResponse:
    """Hand out what was found as a file, and record who took what."""
    form, at = _form(request), clock.now()
    if not form.is_valid():
        return redirect("tickets:search")
    filters = form.filters()
    rows = list(_rows(filters))
    audit_record(
        action="tickets.export",
        subject=f"{len(rows)}",
        details={"filters": form.chosen, "rows": len(rows)},
        actor=actor_of(request),
        at=at,
        tenant_id=None,
    )
    return export_response(
        name=f"{_('工单')}-{clock.local(at):%Y%m%d-%H%M%S}",
        headers=_headers(),
        rows=rows,
        file_format=ExportFormat(form.cleaned_data["format"] or ExportFormat.CSV),
    )


@agents
@require_POST
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep the filters of the address under a name."""
    form, named = _form(request), SavedViewForm(request.POST)
    if not named.is_valid():
        messages.error(request, _("请填写视图名称"))
    elif not form.is_valid():
        messages.error(request, _("请先改正筛选条件"))
    else:
        _act(
            request,
            services.view_save,
            filters=form.chosen,
            name=named.cleaned_data["name"],
            is_shared=named.cleaned_data["is_shared"],
        )
    return redirect(f"{reverse('tickets:search')}?{urlencode(form.chosen)}")


@agents
@require_POST
def view_delete(request: HttpRequest, view_id: int) -> HttpResponse:
    """Forget a view of the person's own."""
    _act(request, services.view_delete, view_id=view_id)
    return redirect("tickets:search")


def _act(request: HttpRequest, service: Any, **arguments: Any) -> None:
    """Call a service; what it refuses is said on the next page."""
    try:
        with transaction.atomic():
            service(**arguments, actor=actor_of(request), at=clock.now())
    except DomainError as error:
        messages.error(request, str(error.message))


def _form(request: HttpRequest) -> SearchForm:
    return SearchForm(request.GET, offer_for(identity_of(request)))


def _headers() -> list[str]:
    return [
        _("工单号"), _("标题"), _("客户"), _("支持计划"), _("级别"), _("状态"), _("服务台"), _("产品"), _("问题分类"),
        _("处理人"), _("提交时间"), _("首次响应"), _("解决时间"), _("关闭时间"),
    ]  # fmt: skip


def _rows(filters: selectors.Filters) -> Iterator[list[Cell]]:
    for ticket in selectors.export_tickets(filters):
        yield [
            ticket.number,
            ticket.title,
            ticket.tenant.name,
            ticket.get_plan_code_display(),
            ticket.get_severity_display(),
            ticket.get_state_display(),
            str(Desk(ticket.desk).label),
            str(ticket.product_line or ""),
            str(ticket.category or ""),
            ticket.assignee.display_name if ticket.assignee else "",
            ticket.created_at,
            ticket.first_response_at,
            ticket.resolved_at,
            ticket.closed_at,
        ]
