"""What the customer owns: balance with its statement, top-ups, coupons and vouchers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import actor_of, customer_view
from accounts.models.tenants import TenantRole
from billing.forms import CouponFilter, StatementFilter, TopUpOrderForm
from billing.selectors.funds import coupon_list_for, voucher_list_for
from billing.selectors.wallet import (
    StatementLine,
    balances_of,
    statement_lines,
    statement_of,
    top_up_limits,
)
from billing.services.top_ups import top_up_create
from billing.views.orders import tenant_id_of
from core import clock
from core.exceptions import DomainError
from core.exports import Cell, ExportFormat, export_response

PAGE_SIZE = 10
# A file that a person opens; whoever needs more exports month by month.
EXPORT_MOST = 20_000


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_safe
def balance_detail(request: HttpRequest) -> HttpResponse:
    """Show the balance and what moved it, by month if wanted."""
    form, tenant_id = StatementFilter(request.GET), tenant_id_of(request)
    page = Paginator(statement_of(tenant_id, month=form.chosen()), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    available, held = balances_of(tenant_id)
    context = {
        "form": form,
        "page": page,
        "lines": statement_lines(tenant_id, page.object_list),
        "available": available,
        "held": held,
        "formats": ExportFormat.choices,
    }
    return render(request, "billing/balance_detail.html", context)


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_safe
def balance_export(request: HttpRequest) -> HttpResponse:
    """Hand out the statement as a file, of a month if wanted. A filter that makes no sense leads back to the page."""
    form, tenant_id = StatementFilter(request.GET), tenant_id_of(request)
    if not form.is_valid():
        return redirect("billing:balance_detail")
    legs = list(statement_of(tenant_id, month=form.chosen())[: EXPORT_MOST + 1])
    if len(legs) > EXPORT_MOST:
        messages.error(request, _("收支明细过多，请选择月份后按月导出"))
        return redirect("billing:balance_detail")
    return export_response(
        name=f"{_('收支明细')}-{form.cleaned_data['month'] or f'{clock.local(clock.now()):%Y%m%d}'}",
        headers=[_("时间"), _("类型"), _("订单号"), _("备注"), _("金额（元）"), _("余额（元）")],
        rows=_cells(statement_lines(tenant_id, legs)),
        file_format=ExportFormat(form.cleaned_data["format"] or ExportFormat.CSV),
    )


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_safe
def coupon_list(request: HttpRequest) -> HttpResponse:
    """Show the tenant's coupons with their terms, by state if wanted."""
    form = CouponFilter(request.GET)
    state = form.cleaned_data["state"] if form.is_valid() else ""
    coupons = coupon_list_for(tenant_id_of(request), state=state)
    page = Paginator(coupons, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"form": form, "page": page, "state": state}
    return render(request, "billing/coupon_list.html", context)


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_safe
def voucher_list(request: HttpRequest) -> HttpResponse:
    """Show the tenant's vouchers with what is left of them."""
    vouchers = voucher_list_for(tenant_id_of(request))
    page = Paginator(vouchers, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "billing/voucher_list.html", {"page": page, "at": clock.now()})


@customer_view(least=TenantRole.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def top_up_new(request: HttpRequest) -> HttpResponse:
    """Name a sum and go to the cashier. A submission makes the order, once per page."""
    now, tenant_id = clock.now(), tenant_id_of(request)
    form = TopUpOrderForm(request.POST or None, initial={"key": uuid.uuid4()})
    if request.method == "POST" and form.is_valid():
        try:
            order = top_up_create(
                tenant_id=tenant_id,
                amount=form.cleaned_data["amount"],
                idempotency_key=str(form.cleaned_data["key"]),
                actor=actor_of(request),
                at=now,
            )
            return redirect(
                "billing:cashier" if order.is_payable else "billing:order_detail", order.number
            )
        except DomainError as refused:
            form.add_error(refused.field, str(refused.message))
    least, most = top_up_limits(now)
    context: dict[str, Any] = {"form": form, "least": least, "most": most}
    context["available"], context["held"] = balances_of(tenant_id)
    return render(request, "billing/top_up_form.html", context, status=422 if form.errors else 200)


def _cells(lines: list[StatementLine]) -> Iterator[list[Cell]]:
    for line in lines:
        posting = line.leg.transaction
        yield [
            posting.created_at,
            posting.get_kind_display(),
            posting.order.number if posting.order else "",
            posting.note,
            line.leg.amount,
            line.balance,
        ]
