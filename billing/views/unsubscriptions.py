"""Leaving a plan (guide 3.5): what it gives back and why, the reason, the tick; and what was left before."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import actor_of, customer_view
from accounts.models.tenants import TenantRole
from billing.exceptions import NothingRuns
from billing.forms import UnsubscriptionForm
from billing.presenters import rule_label
from billing.selectors.changes import (
    free_returns_of,
    paid_subscription,
    quote_unsubscription_of,
)
from billing.selectors.lines import lines_of
from billing.selectors.orders import order_list_for, order_open_for
from billing.services.placing import order_create_unsubscription
from billing.states import OrderType, UnsubscribeReason
from billing.views.orders import PAGE_SIZE, tenant_id_of
from core import clock
from core.exceptions import DomainError
from core.money import ZERO
from supportplans.models import Subscription


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_safe
def unsubscription_list(request: HttpRequest) -> HttpResponse:
    """Show the plan that can be left, and the orders by which plans were left."""
    now, tenant_id = clock.now(), tenant_id_of(request)
    orders = order_list_for(tenant_id).filter(type=OrderType.UNSUBSCRIBE)
    page = Paginator(orders, PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page}
    try:
        subscription = paid_subscription(tenant_id, now)
    except NothingRuns:
        return render(request, "billing/unsubscription_list.html", context)
    return render(
        request, "billing/unsubscription_list.html", {**context, **_figures(subscription, now)}
    )


@customer_view(least=TenantRole.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscription_new(request: HttpRequest) -> HttpResponse:
    """Show what leaving gives back; a submission with reason and tick makes the order."""
    now, tenant_id = clock.now(), tenant_id_of(request)
    try:
        subscription = paid_subscription(tenant_id, now)
    except NothingRuns as refused:
        messages.info(request, str(refused.message))
        return redirect("billing:unsubscription_list")
    if request.method != "POST":
        return render(
            request, "billing/unsubscription_form.html", _context(tenant_id, subscription, {}, now)
        )
    form = UnsubscriptionForm(request.POST)
    error: DomainError | None = None
    if form.is_valid():
        data = form.cleaned_data
        try:
            order = order_create_unsubscription(
                tenant_id=tenant_id,
                reason=data["reason"],
                reason_text=data["reason_text"],
                confirmed=data["confirmed"],
                shown_amount=data["shown_amount"],
                idempotency_key=str(data["key"]),
                to_balance=data["to_balance"],
                actor=actor_of(request),
                at=now,
            )
            return redirect("billing:order_detail", order.number)
        except DomainError as refused:
            error = refused
    context = _context(tenant_id, subscription, request.POST, now)
    wrong = [str(text) for found in form.errors.values() for text in found]
    context["error"] = error.message if error else wrong[0] if wrong else _("提交的内容有误")
    context["error_field"] = error.field if error else next(iter(form.errors), "")
    return render(
        request,
        "billing/unsubscription_form.html",
        context,
        status=error.status if error else 422,
    )


def _figures(subscription: Subscription, at: datetime) -> dict[str, Any]:
    lines = lines_of(subscription)
    quote = quote_unsubscription_of(subscription, at=at)
    paid = sum((sum(line.cash.values(), ZERO) for line in lines), ZERO)
    return {
        "subscription": subscription,
        "quote": quote,
        "steps": [(rule_label(line.rule), line) for line in quote.explanation],
        "paid": paid,
        "returns": free_returns_of(subscription, lines=lines, at=at),
        "comes_by_cashier": any(method != "balance" for method in quote.refund_to),
    }


def _context(
    tenant_id: int, subscription: Subscription, typed: Any, at: datetime
) -> dict[str, Any]:
    return {
        **_figures(subscription, at),
        "reasons": UnsubscribeReason.choices,
        "typed": typed,
        "open_order": order_open_for(tenant_id),
        "key": str(uuid.uuid4()),
    }
