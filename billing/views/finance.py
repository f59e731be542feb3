"""Finance's pages: payments of all customers, and transfers that become balance."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import actor_of, staff_view
from accounts.models.users import StaffRole
from billing.forms import PaymentFilter, TopUpForm
from billing.providers.registry import NAMES
from billing.selectors.payments import PAYMENT_PAGE, notifications_refused, payment_list
from billing.selectors.wallet import tenant_choices
from billing.services.ledger import balance_top_up
from core import clock
from core.exceptions import DomainError


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_payment_list(request: HttpRequest) -> HttpResponse:
    """Show payments newest first, page by key, and the notifications that could not be trusted."""
    form = PaymentFilter(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    rows = payment_list(state=chosen.get("state") or "", after=chosen.get("after"))
    shown = rows[:PAYMENT_PAGE]
    context = {
        "form": form,
        "rows": [
            (payment, str(NAMES.get(payment.provider, payment.provider))) for payment in shown
        ],
        "next_after": shown[-1].pk if len(rows) > PAYMENT_PAGE else None,
        "refused": notifications_refused(),
    }
    return render(request, "billing/finance_payment_list.html", context)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_top_up(request: HttpRequest) -> HttpResponse:
    """Book a received transfer to a customer's balance."""
    form = TopUpForm(request.POST or None, tenants=tenant_choices())
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            balance_top_up(
                tenant_id=data["tenant"],
                amount=data["amount"],
                note=data["note"],
                actor=actor_of(request),
                at=clock.now(),
            )
        except DomainError as refused:
            form.add_error(refused.field, str(refused.message))
        else:
            messages.success(request, _("充值已入账"))
            return redirect("billing:finance_payment_list")
    status = 422 if form.errors else 200
    return render(request, "billing/finance_top_up.html", {"form": form}, status=status)
