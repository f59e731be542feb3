"""The order centre: list, detail with progress, cancelling."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import actor_of, customer_view, identity_of
from accounts.models.tenants import TenantRole
from billing.exceptions import OrderNotCancellable
from billing.forms import OrderFilter
from billing.models import Order, Payment
from billing.providers.registry import NAMES
from billing.selectors.orders import order_get_for, order_list_for
from billing.selectors.payments import order_payments
from billing.selectors.refunds import refunds_of
from billing.services.orders import order_cancel as order_cancel_service
from billing.states import LIVE_PAYMENT_STATES, OrderState, PaymentState
from core import clock
from core.exports import Cell, ExportFormat, export_response

PAGE_SIZE = 10
# A file that a person opens; whoever needs more exports by dates.
EXPORT_MOST = 20_000
# The page's progress: what has happened is done, the first that has not is now.
PROGRESS = (
    (OrderState.PENDING, "created_at"),
    (OrderState.PAID, "paid_at"),
    (OrderState.PROVISIONING, ""),
    (OrderState.COMPLETED, "completed_at"),
)


def tenant_id_of(request: HttpRequest) -> int:
    """Return the tenant of a customer's request; the view's decorator has let in no one without."""
    tenant_id = identity_of(request).tenant_id
    if tenant_id is None:
        raise Http404
    return tenant_id


def order_of(request: HttpRequest, number: str) -> Order:
    """Return the order of the request's tenant. Raises Http404, for other tenants' as for missing ones."""
    try:
        return order_get_for(tenant_id_of(request), number)
    except Order.DoesNotExist:
        raise Http404 from None


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_safe
def order_list(request: HttpRequest) -> HttpResponse:
    """Show the tenant's orders with total, pages and filters."""
    form = OrderFilter(request.GET)
    orders = order_list_for(tenant_id_of(request), **form.chosen())
    page = Paginator(orders, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "form": form,
        "is_filtered": any(form.chosen().values()),
        "formats": ExportFormat.choices,
    }
    return render(request, "billing/order_list.html", context)


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_safe
def order_export(request: HttpRequest) -> HttpResponse:
    """Hand out the filtered orders as a file."""
    form = OrderFilter(request.GET)
    orders = list(order_list_for(tenant_id_of(request), **form.chosen())[: EXPORT_MOST + 1])
    if len(orders) > EXPORT_MOST:
        messages.error(request, _("订单过多，请缩小日期范围后导出"))
        return redirect("billing:order_list")
    headers = [
        _("订单号"),
        _("订单类型"),
        _("产品"),
        _("配置"),
        _("周期"),
        _("状态"),
        _("订单金额（元）"),
        _("优惠券（元）"),
        _("代金券（元）"),
        _("账户余额（元）"),
        _("收银台（元）"),
        _("应退金额（元）"),
        _("创建时间"),
        _("支付时间"),
        _("完成时间"),
    ]
    return export_response(
        name=f"{_('订单')}-{clock.local(clock.now()):%Y%m%d}",
        headers=headers,
        rows=(_cells(order) for order in orders),
        file_format=ExportFormat(form.cleaned_data.get("format") or ExportFormat.CSV),
    )


def _cells(order: Order) -> list[Cell]:
    return [
        order.number,
        str(order.get_type_display()),
        _("客户支持计划") if order.plan else _("账户余额"),
        str(order.plan) if order.plan else "",
        order.cycle,
        str(order.get_state_display()),
        order.amount,
        order.coupon_amount,
        order.voucher_amount,
        order.balance_amount,
        order.due,
        order.refund_amount,
        order.created_at,
        order.paid_at,
        order.completed_at,
    ]


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_safe
def order_detail(request: HttpRequest, number: str) -> HttpResponse:
    """Show one order: amounts with their arithmetic, progress, history. It looks again by itself while it moves."""
    return render(request, "billing/order_detail.html", detail_context(order_of(request, number)))


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_safe
def order_status(request: HttpRequest, number: str) -> HttpResponse:
    """Answer 204 while the order is as the page knows it (``version``), else the panel."""
    order = order_of(request, number)
    if request.GET.get("version") == str(order.version):
        return HttpResponse(status=204)
    context = detail_context(order, confirming=request.GET.get("confirming") == "1")
    return render(request, "billing/order_detail.html#order-panel", context)


@customer_view(least=TenantRole.OWNER)
@require_POST
def order_cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Cancel an unpaid order."""
    order = order_of(request, number)
    try:
        order = order_cancel_service(order_id=order.pk, actor=actor_of(request), at=clock.now())
    except OrderNotCancellable as refused:
        messages.error(request, str(refused.message))
    else:
        done = order.state == OrderState.CANCELLED
        messages.success(
            request, _("订单已取消") if done else _("正在取消订单，并向支付渠道确认未收款")
        )
    return redirect("billing:order_detail", order.number)


def detail_context(order: Order, *, confirming: bool = False) -> dict[str, Any]:
    """Return what the order's page shows. ``confirming``: the browser has just come back from a provider."""
    payments = list(order_payments(order))
    live = next((payment for payment in payments if payment.state in LIVE_PAYMENT_STATES), None)
    waits = confirming and order.state == OrderState.PENDING and live is not None
    failed = bool(payments) and payments[0].state == PaymentState.FAILED
    return {
        "order": order,
        "step": _step(order),
        "history": list(order.history.order_by("pk")),
        "progress": _progress(order),
        "payments": [(payment, _method_name(payment)) for payment in payments],
        "refunds": refunds_of(order),
        "confirming": waits,
        "failed": failed and order.is_payable,
        "polls": order.is_moving or waits,
        "subscription": order.subscription,
    }


def _step(order: Order) -> int:
    """Return the step of 选择计划 → 支付订单 → 服务开通 that is under way; 4 when all are done."""
    if order.state == OrderState.COMPLETED:
        return 4
    return 3 if order.state in {OrderState.PAID, OrderState.PROVISIONING} else 2


def _progress(order: Order) -> list[dict[str, Any]]:
    """Return the stages of an order that goes well, with their instants; none for one that ended otherwise."""
    states = [state for state, _field in PROGRESS]
    if order.state not in states:
        return []
    at = states.index(OrderState(order.state)) + (1 if order.state == OrderState.COMPLETED else 0)
    return [
        {
            "label": state.label,
            "at": getattr(order, field) if field else None,
            "kind": "is-done" if place < at else "is-now" if place == at else "is-next",
        }
        for place, (state, field) in enumerate(PROGRESS)
    ]


def _method_name(payment: Payment) -> str:
    return str(NAMES.get(payment.provider, payment.provider))
