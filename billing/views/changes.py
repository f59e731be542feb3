"""Going up or down, renewing, and renewing by itself (guide 3.3 and 3.4)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import actor_of, customer_view
from accounts.models.tenants import TenantRole
from billing.exceptions import NothingRuns
from billing.forms import AutoRenewalForm, ChangeForm, RenewalForm
from billing.models import AutoRenewal
from billing.presenters import days_used, differences, equation, has_steps
from billing.selectors.changes import (
    ChangeOption,
    change_allowed,
    change_options,
    paid_subscription,
    quote_renewal_of,
)
from billing.selectors.orders import order_open_for
from billing.services.placing import order_create_change, order_create_renewal
from billing.services.renewals import auto_renewal_set as auto_renewal_set_service
from billing.views.orders import tenant_id_of
from core import clock
from core.exceptions import DomainError
from supportplans.models import Subscription
from supportplans.selectors.catalogue import agreement_at
from supportplans.selectors.figures import figure_at
from supportplans.selectors.sales import sale_terms
from supportplans.states import FigureCode


@customer_view(least=TenantRole.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def plan_change(request: HttpRequest) -> HttpResponse:
    """Choose another level; the server shows what it costs or gives back, and why. A submission makes the order."""
    now, tenant_id = clock.now(), tenant_id_of(request)
    try:
        subscription = paid_subscription(tenant_id, now)
    except NothingRuns as refused:
        return _nothing_runs(request, refused)
    if request.method != "POST":
        context = _change_context(tenant_id, subscription, request.GET, now)
        part = "#change-choice" if request.headers.get("HX-Request") else ""
        return render(request, f"billing/plan_change.html{part}", context)
    if "recalculate" in request.POST:  # the button of pages without scripts
        return redirect(f"{request.path}?{urlencode({'plan': request.POST.get('plan', '')})}")
    form = ChangeForm(request.POST)
    error: DomainError | None = None
    if form.is_valid():
        data = form.cleaned_data
        try:
            order = order_create_change(
                tenant_id=tenant_id,
                plan_code=data["plan"],
                agreement_version=data["agreement"],
                shown_amount=data["shown_amount"],
                idempotency_key=str(data["key"]),
                to_balance=data["to_balance"],
                actor=actor_of(request),
                at=now,
            )
            to_pay = order.is_payable and not order.is_free
            return redirect("billing:order_pay" if to_pay else "billing:order_detail", order.number)
        except DomainError as refused:
            error = refused
    context = _change_context(tenant_id, subscription, request.POST, now)
    return _refused(request, "billing/plan_change.html", context, error, _first_error(form))


@customer_view(least=TenantRole.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def plan_renew(request: HttpRequest) -> HttpResponse:
    """Add another term to the running plan, at any time."""
    now, tenant_id = clock.now(), tenant_id_of(request)
    try:
        subscription = paid_subscription(tenant_id, now)
    except NothingRuns as refused:
        return _nothing_runs(request, refused)
    if request.method != "POST":
        context = _renewal_context(tenant_id, subscription, request.GET, now)
        part = "#renew-choice" if request.headers.get("HX-Request") else ""
        return render(request, f"billing/plan_renew.html{part}", context)
    if "recalculate" in request.POST:
        return redirect(f"{request.path}?{urlencode({'years': request.POST.get('years', '')})}")
    form = RenewalForm(request.POST)
    error: DomainError | None = None
    if form.is_valid():
        data = form.cleaned_data
        try:
            order = order_create_renewal(
                tenant_id=tenant_id,
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
    context = _renewal_context(tenant_id, subscription, request.POST, now)
    return _refused(request, "billing/plan_renew.html", context, error, _first_error(form))


@customer_view(least=TenantRole.OWNER)
@require_POST
def auto_renewal_set(request: HttpRequest) -> HttpResponse:
    """Turn renewing by itself on or off."""
    form = AutoRenewalForm(request.POST)
    if not form.is_valid():
        messages.error(request, _first_error(form))
        return redirect("billing:plan_renew")
    try:
        setting = auto_renewal_set_service(
            tenant_id=tenant_id_of(request),
            enabled=form.cleaned_data["enabled"],
            years=form.cleaned_data["years"],
            agreement_version=form.cleaned_data["agreement"],
            actor=actor_of(request),
            at=clock.now(),
        )
    except DomainError as refused:
        messages.error(request, str(refused.message))
    else:
        messages.success(request, _("已开启自动续订") if setting.enabled else _("已关闭自动续订"))
    return redirect("billing:plan_renew")


def _change_context(
    tenant_id: int, subscription: Subscription, chosen: Any, at: datetime
) -> dict[str, Any]:
    options = change_options(subscription, at=at)
    option = _chosen(options, chosen.get("plan", ""))
    limit: DomainError | None = None
    try:
        change_allowed(tenant_id, at)
    except DomainError as refused:
        limit = refused
    context: dict[str, Any] = {
        "subscription": subscription,
        "options": options,
        "chosen": option,
        "limit": limit,
        "agreement": agreement_at(at),
        "ticked": bool(chosen.get("agreement")),
        "to_balance": bool(chosen.get("to_balance")),
        "open_order": order_open_for(tenant_id),
        "key": str(uuid.uuid4()),
        "now": at,
    }
    if option is not None and option.quote is not None:
        context |= {
            "quote": option.quote,
            "equation": equation(option.quote, subscription.plan, option.plan),
            "has_steps": has_steps(option.quote),
            "used": days_used(subscription, at),
            "differences": differences(subscription.plan, option.plan),
        }
    return context


def _chosen(options: list[ChangeOption], code: str) -> ChangeOption | None:
    """Return the level that was asked for, else the next one up, else one that can be had, else any."""
    others = [option for option in options if not option.is_current]
    named = [option for option in others if option.plan.code == code]
    possible = [option for option in others if option.quote is not None]
    higher = [option for option in possible if option.is_upgrade]
    return next(iter([*named, *higher, *possible, *others]), None)


def _renewal_context(
    tenant_id: int, subscription: Subscription, chosen: Any, at: datetime
) -> dict[str, Any]:
    terms = sale_terms(subscription.plan.code, at)
    all_years = range(1, terms.longest + 1)
    asked = RenewalForm(chosen)
    asked.is_valid()
    typed = asked.cleaned_data.get("years")
    years = next((n for n in all_years if n == typed), all_years[0])
    return {
        "subscription": subscription,
        "years": years,
        "all_years": all_years,
        "auto_days": int(figure_at(FigureCode.AUTO_RENEW_DAYS, at)),
        "quote": quote_renewal_of(subscription, terms, years=years, at=at),
        "agreement": agreement_at(at),
        "ticked": bool(chosen.get("agreement")),
        "open_order": order_open_for(tenant_id),
        "auto": AutoRenewal.objects.filter(tenant_id=tenant_id).first(),
        "key": str(uuid.uuid4()),
    }


def _nothing_runs(request: HttpRequest, refused: DomainError) -> HttpResponse:
    messages.info(request, str(refused.message))
    return redirect("supportplans:plan_detail")


def _first_error(form: Any) -> str:
    errors = [str(error) for found in form.errors.values() for error in found]
    return errors[0] if errors else _("提交的内容有误，请检查后重新提交")


def _refused(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    error: DomainError | None,
    otherwise: str,
) -> HttpResponse:
    """Show the page again with what was chosen and why it was refused. The key is a new one: that request is over."""
    context["error"] = error.message if error else otherwise
    context["error_field"] = error.field if error else ""
    return render(request, template, context, status=error.status if error else 422)
