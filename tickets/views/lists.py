"""A customer's list of tickets with its drafts, and the file to take along."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import actor_of, customer_view
from core import clock
from core.exports import Cell, ExportFormat, export_response
from tickets.list_forms import TicketFilter
from tickets.models import Ticket
from tickets.selectors import tickets as selectors
from tickets.selectors.drafts import draft_list_for
from tickets.views.common import tenant_id_of

PAGE_SIZE = 10
EXPORT_MOST = 20_000


@customer_view()
@require_safe
def ticket_list(request: HttpRequest) -> HttpResponse:
    """Show the tenant's tickets by whose turn it is, filtered, with total and page jump; the own drafts above."""
    tenant_id, person = tenant_id_of(request), actor_of(request).user
    form = TicketFilter(request.GET, tenant_id=tenant_id)
    chosen = form.chosen()
    found = selectors.ticket_list_for(tenant_id, **chosen)
    counts = selectors.turn_counts(tenant_id)
    context = {
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "turns": [(code, label, counts[code]) for code, label, _states in selectors.TURNS],
        "turn": chosen["turn"],
        "text": chosen["text"],
        "form": form,
        "is_filtered": form.is_filtered,
        "formats": ExportFormat.choices,
        "drafts": draft_list_for(tenant_id, person) if person else (),
        "at": clock.now(),
    }
    return render(request, "tickets/ticket_list.html", context)


@customer_view()
@require_safe
def ticket_export(request: HttpRequest) -> HttpResponse:
    """Hand out the filtered tickets as a file."""
    tenant_id = tenant_id_of(request)
    form = TicketFilter(request.GET, tenant_id=tenant_id)
    found = selectors.ticket_list_for(tenant_id, **form.chosen()).select_related(
        "product_line", "assignee", "category"
    )
    tickets = list(found[: EXPORT_MOST + 1])
    if len(tickets) > EXPORT_MOST:
        messages.error(request, _("工单过多，请缩小日期范围后导出"))
        return redirect("tickets:ticket_list")
    headers = [
        _("工单号"),
        _("标题"),
        _("工单类型"),
        _("级别"),
        _("影响范围"),
        _("产品"),
        _("问题分类"),
        _("涉及资源"),
        _("状态"),
        _("提交人"),
        _("处理人"),
        _("提交时间"),
        _("首次响应时间"),
        _("解决时间"),
        _("关闭时间"),
    ]
    return export_response(
        name=f"{_('工单')}-{clock.local(clock.now()):%Y%m%d}",
        headers=headers,
        rows=(_cells(ticket) for ticket in tickets),
        file_format=form.file_format,
    )


def _cells(ticket: Ticket) -> list[Cell]:
    return [
        ticket.number,
        ticket.title,
        str(ticket.get_kind_display()),
        str(ticket.get_severity_display()),
        str(ticket.get_effect_display()),
        _name(ticket.product_line),
        _name(ticket.category),
        ticket.resource,
        str(ticket.get_state_display()),
        ticket.actor_name,
        _name(ticket.assignee),
        ticket.created_at,
        ticket.first_response_at,
        ticket.resolved_at,
        ticket.closed_at,
    ]


def _name(row: Any) -> str:
    return "" if row is None else str(row)
