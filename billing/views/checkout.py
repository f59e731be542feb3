"""From the choice of a plan to the provider's page and back (guide 3.1)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import actor_of, customer_view
from accounts.models.tenants import TenantRole
from billing.forms import ChoiceForm, FundsForm, OrderForm
from billing.models import Order
from billing.providers.registry import TRANSFER, methods
from billing.selectors.funds import funds_held, funds_offer
from billing.selectors.orders import order_open_for, plans_for_sale, quote_new_for
from billing.selectors.payments import live_payments
from billing.services.orders import order_set_funds
from billing.services.payments import payment_begin
from billing.services.placing import order_create
from billing.services.transfers import transfer_begin
from billing.states import OrderState, OrderType
from billing.views.orders import detail_context, order_of, tenant_id_of
from core import clock
from core.exceptions import DomainError
from core.jobs import enqueue
from supportplans.selectors.catalogue import agreement_at
from supportplans.selectors.coverage import coverage_at
from supportplans.selectors.figures import figures_at, notice_days, terms_offered
from supportplans.states import END_NOTICES, Basis, FigureCode


@customer_view(least=TenantRole.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def order_new(request: HttpRequest) -> HttpResponse:
    """Choose level and duration; the server recomputes the price. A submission makes the order, once per page."""
    now = clock.now()
    if request.method != "POST":
        context = _choice_context(request, request.GET, key=request.GET.get("key", ""), at=now)
        context["ticked"] = bool(request.GET.get("agreement"))
        return render(
            request,
            "billing/order_form.html"
            + ("#order-choice" if request.headers.get("HX-Request") else ""),
            context,
        )
    if "recalculate" in request.POST:  # the button of pages without scripts
        chosen = {
            name: request.POST.get(name, "") for name in ("plan", "years", "agreement", "key")
        }
        return redirect(f"{request.path}?{urlencode(chosen)}")
    form = OrderForm(request.POST)
    error: DomainError | None = None
    if form.is_valid():
        data = form.cleaned_data
        try:
            order = order_create(
                tenant_id=tenant_id_of(request),
                plan_code=data["plan"],
                years=data["years"],
                agreement_version=data["agreement"],
                shown_amount=data["shown_amount"],
                idempotency_key=str(data["key"]),
                actor=actor_of(request),
                at=now,
            )
            return redirect(
                "billing:order_pay" if order.is_payable else "billing:order_detail", order.number
            )
        except DomainError as refused:
            error = refused
    return _refused(request, error, at=now)


@customer_view(least=TenantRole.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def order_pay(request: HttpRequest, number: str) -> HttpResponse:
    """The payment page: coupon, vouchers and balance; the server recomputes the sum, the rest goes to the cashier."""
    order, now = order_of(request, number), clock.now()
    form = FundsForm(request.POST if request.method == "POST" else request.GET)
    error: DomainError | None = None
    if "recalculate" in request.POST:  # the button of pages without scripts
        return redirect(f"{request.path}?{form.as_query()}")
    if request.method == "POST" and form.is_valid():
        try:
            order = order_set_funds(
                order_id=order.pk,
                coupon_grant_id=form.cleaned_data["coupon"],
                voucher_ids=form.cleaned_data["vouchers"],
                use_balance=form.cleaned_data["balance"],
                actor=actor_of(request),
                at=now,
            )
            return _after_choice(order)
        except DomainError as refused:
            error = refused
    if not order.is_payable or order.is_moving:
        return redirect("billing:order_detail", order.number)
    if order.type == OrderType.TOP_UP:
        return redirect("billing:cashier", order.number)
    return _funds_page(request, order, form, error, at=now)


@customer_view(least=TenantRole.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def cashier(request: HttpRequest, number: str) -> HttpResponse:
    """The cashier: choose a wallet and go to its page or its code. A double click leads to the same attempt."""
    order, now = order_of(request, number), clock.now()
    error = None
    if request.method == "POST" and request.POST.get("method") == TRANSFER.code:
        try:
            transfer_begin(order_id=order.pk, actor=actor_of(request), at=now)
        except DomainError as refused:
            error = refused
        else:
            return redirect("billing:transfer_detail", order.number)
    elif request.method == "POST":
        try:
            begun = payment_begin(
                order_id=order.pk,
                provider_code=request.POST.get("method", ""),
                actor=actor_of(request),
                at=now,
            )
        except DomainError as refused:
            error = refused
        else:
            return redirect(begun.address or reverse("billing:payment_code", args=[order.number]))
    if not order.is_payable or order.is_free or order.pays_until <= now:
        return redirect("billing:order_detail", order.number)
    shown = methods(order.due)
    chosen = next((method.code for method in shown if method.is_usable), "")
    context = {"order": order, "step": 2, "methods": shown, "chosen": chosen, "error": error}
    return render(request, "billing/cashier.html", context, status=409 if error else 200)


@customer_view(least=TenantRole.OWNER)
@require_GET
def payment_return(request: HttpRequest, number: str) -> HttpResponse:
    """The browser is back from the provider. Its word pays nothing: the worker asks the provider, the page waits."""
    order = order_of(request, number)
    if order.state == OrderState.PENDING:
        for payment in live_payments(order):
            enqueue("billing.payment_follow", payment_id=payment.pk)
    return render(request, "billing/order_detail.html", detail_context(order, confirming=True))


def _choice_context(
    request: HttpRequest, typed: QueryDict, *, key: str, at: datetime
) -> dict[str, Any]:
    tenant_id = tenant_id_of(request)
    figures = figures_at([FigureCode.TERM_YEARS, *END_NOTICES], at)
    all_years = terms_offered(figures)
    plan, years = ChoiceForm(typed).chosen(all_years)
    plans = plans_for_sale(at)
    coverage = coverage_at(tenant_id, at)
    return {
        "step": 1,
        "plans": plans,
        "chosen": next(row for row in plans if row.code == plan),
        "years": years,
        "all_years": all_years,
        "notice_days": notice_days(figures),
        "quote": quote_new_for(plan, years, at),
        "agreement": agreement_at(at),
        "coverage": coverage,
        "has_plan": coverage.basis == Basis.PAID,
        "open_order": order_open_for(tenant_id),
        "key": key or str(uuid.uuid4()),
    }


def _refused(request: HttpRequest, error: DomainError | None, *, at: datetime) -> HttpResponse:
    """Show the page again with what was chosen and why it was refused."""
    # A new key: the refused request is over, the next one is another.
    context = _choice_context(request, request.POST, key="", at=at)
    context["error"] = error.message if error else _("提交的内容有误，请检查后重新提交")
    context["error_field"] = error.field if error else ""
    context["ticked"] = bool(request.POST.get("agreement"))
    return render(
        request, "billing/order_form.html", context, status=error.status if error else 422
    )


def _after_choice(order: Order) -> HttpResponse:
    to_cashier = order.is_payable and not order.is_free
    return redirect("billing:cashier" if to_cashier else "billing:order_detail", order.number)


def _funds_page(
    request: HttpRequest, order: Order, form: FundsForm, error: DomainError | None, *, at: datetime
) -> HttpResponse:
    """Show what can pay the order: as chosen on the page, or as the order holds it when the page is opened."""
    coupon, vouchers, balance = form.chosen() or funds_held(order)
    context = {
        "order": order,
        "step": 2,
        "error": error,
        "form": form,
        "offer": funds_offer(
            order, coupon_grant_id=coupon, voucher_ids=vouchers, use_balance=balance, at=at
        ),
    }
    part = "#order-funds" if request.headers.get("HX-Request") and request.method == "GET" else ""
    status = error.status if error else 422 if form.is_refused(request.method) else 200
    return render(request, f"billing/order_pay.html{part}", context, status=status)
