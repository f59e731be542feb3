"""The customer's invoices: ask for one, cancel the request, download what was issued."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actor_of, customer_view, identity_of
from accounts.models.tenants import TenantRole
from billing.forms import InvoiceForm
from billing.invoice_exceptions import OrderNotInvoiceable
from billing.models import Invoice
from billing.selectors.invoices import (
    invoice_get_for,
    invoice_list_for,
    invoiceable_amount,
    is_invoiceable,
    orders_to_invoice,
)
from billing.services import invoices
from billing.states import InvoiceState
from billing.views.orders import order_of, tenant_id_of
from core import clock
from core.exceptions import DomainError
from core.files import serve_private

PAGE_SIZE = 10
# Orders offered on the first page; older ones have the link on their own page.
OFFERED = 5


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_safe
def invoice_list(request: HttpRequest) -> HttpResponse:
    """Show the tenant's invoices, and the orders that have none yet."""
    tenant_id = tenant_id_of(request)
    page = Paginator(invoice_list_for(tenant_id), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "orders": orders_to_invoice(tenant_id)[:OFFERED]}
    return render(request, "billing/invoice_list.html", context)


@customer_view(least=TenantRole.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def invoice_new(request: HttpRequest, number: str) -> HttpResponse:
    """Ask for the invoice of one order."""
    order, who = order_of(request, number), identity_of(request)
    initial = {"title": who.tenant, "email": who.user and who.user.email}
    if not is_invoiceable(order):
        messages.error(request, str(OrderNotInvoiceable.message))
        return redirect("billing:invoice_list")
    form = InvoiceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            invoices.invoice_request(
                order_id=order.pk,
                title=form.cleaned_data["title"],
                tax_number=form.cleaned_data["tax_number"],
                email=form.cleaned_data["email"],
                actor=actor_of(request),
                at=clock.now(),
            )
        except DomainError as refused:
            form.add_error(refused.field, str(refused.message))
        else:
            messages.success(request, _("开票申请已提交"))
            return redirect("billing:invoice_list")
    context = {"form": form, "order": order, "amount": invoiceable_amount(order)}
    return render(request, "billing/invoice_form.html", context, status=422 if form.errors else 200)


@customer_view(least=TenantRole.OWNER)
@require_POST
def invoice_withdraw(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """Cancel a request that finance has not met yet."""
    invoice = _invoice_of(request, invoice_id)
    try:
        invoices.invoice_withdraw(invoice_id=invoice.pk, actor=actor_of(request), at=clock.now())
    except DomainError as refused:
        messages.error(request, str(refused.message))
    else:
        messages.success(request, _("开票申请已取消"))
    return redirect("billing:invoice_list")


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_safe
def invoice_download(request: HttpRequest, invoice_id: int) -> HttpResponseBase:
    """Hand out an issued invoice; a reversed one is no document any more."""
    invoice = _invoice_of(request, invoice_id)
    if invoice.state != InvoiceState.ISSUED:
        raise Http404
    return serve_private(invoice.file, name=invoice.file_name, content_type=invoice.content_type)


def _invoice_of(request: HttpRequest, invoice_id: int) -> Invoice:
    try:
        return invoice_get_for(tenant_id_of(request), invoice_id)
    except Invoice.DoesNotExist:
        raise Http404 from None
