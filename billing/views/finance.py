"""Finance's desk: what waits, payments of all customers, transfers that arrived."""

from __future__ import annotations

from collections import Counter

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import actor_of, staff_view
from accounts.models.users import StaffRole
from billing.finance_forms import PaymentFilter, TopUpForm, TransferFilter, TransferForm
from billing.models import Payment
from billing.providers.registry import NAMES
from billing.selectors.finance import (
    customers_like,
    page_of,
    payments_found,
    transfer_get,
    transfers_found,
    waiting,
)
from billing.selectors.payments import notifications_refused
from billing.services.ledger import balance_top_up
from billing.services.transfers import transfer_confirm
from billing.states import PaymentState
from billing.views.steps import posted, refuse
from core import clock
from core.exceptions import DomainError


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_overview(request: HttpRequest) -> HttpResponse:
    """Show what waits for finance and how the nightly checks ended."""
    found = waiting()
    context = {
        "waiting": found,
        "checked": [
            (row, str(NAMES.get(row.provider, row.provider))) for row in found.reconciliations
        ],
    }
    return render(request, "billing/finance_overview.html", context)


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_payment_list(request: HttpRequest) -> HttpResponse:
    """Show payments newest first, page by key, and the notifications that could not be trusted."""
    form = PaymentFilter(request.GET)
    rows, next_after = page_of(payments_found(**form.chosen()), form.key)
    context = {
        "form": form,
        "rows": [(payment, str(NAMES.get(payment.provider, payment.provider))) for payment in rows],
        "next_after": next_after,
        "refused": notifications_refused(),
    }
    return render(request, "billing/finance_payment_list.html", context)


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_transfer_list(request: HttpRequest) -> HttpResponse:
    """Show the bank transfers whose money is awaited."""
    form = TransferFilter(request.GET)
    rows, next_after = page_of(transfers_found(**form.chosen()), form.key)
    context = {"form": form, "rows": rows, "next_after": next_after}
    return render(request, "billing/finance_transfer_list.html", context)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_transfer_confirm(request: HttpRequest, payment_id: int) -> HttpResponse:
    """Book what the bank has received for an order's transfer."""
    try:
        payment = transfer_get(payment_id)
    except Payment.DoesNotExist:
        raise Http404 from None
    form = TransferForm(
        posted(request),
        expected=payment.amount,
        initial={"amount": f"{payment.amount:.2f}"},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            transfer_confirm(
                payment_id=payment.pk,
                amount=data["amount"],
                bank_serial=data["bank_serial"],
                received_at=data["received_at"],
                actor=actor_of(request),
                at=clock.now(),
            )
        except DomainError as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("到账已确认"))
            return redirect("billing:finance_transfer_list")
    context = {
        "form": form,
        "payment": payment,
        "is_awaited": payment.state != PaymentState.SUCCEEDED,
    }
    status = 422 if form.errors else 200
    return render(request, "billing/finance_transfer_confirm.html", context, status=status)


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_customer_search(request: HttpRequest) -> HttpResponse:
    """Offer customers while one is typed: by name, those of one name by their ids."""
    found = customers_like(request.GET.get("customer", ""))
    named = Counter(tenant.name for tenant in found)
    offered = [(t.name if named[t.name] == 1 else t.public_id, t.name) for t in found]
    return render(request, "billing/finance_customers.html#options", {"customers": offered})


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_top_up(request: HttpRequest) -> HttpResponse:
    """Book a received transfer to a customer's balance."""
    form = TopUpForm(posted(request))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            balance_top_up(
                tenant_id=data["customer"].pk,
                amount=data["amount"],
                note=data["note"],
                actor=actor_of(request),
                at=clock.now(),
            )
        except DomainError as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("充值已入账"))
            return redirect("billing:finance_transfer_list")
    status = 422 if form.errors else 200
    return render(request, "billing/finance_top_up.html", {"form": form}, status=status)
