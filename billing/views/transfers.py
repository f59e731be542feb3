"""The page that says where a bank transfer goes and what it must name."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.access import customer_view
from accounts.models.tenants import TenantRole
from billing.providers.registry import TRANSFER
from billing.selectors.payments import payment_open
from billing.views.orders import order_of


@customer_view(least=TenantRole.OWNER)
@require_safe
def transfer_detail(request: HttpRequest, number: str) -> HttpResponse:
    """Show the beneficiary, the exact sum and the order's reference while the order waits for a transfer."""
    order = order_of(request, number)
    payment = payment_open(order)
    if not order.is_payable or payment is None or payment.provider != TRANSFER.code:
        return redirect("billing:order_detail", order.number)
    context = {
        "order": order,
        "payment": payment,
        "step": 2,
        "beneficiary": settings.PAYMENT_TRANSFER,
    }
    return render(request, "billing/transfer_detail.html", context)
