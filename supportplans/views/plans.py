"""Compare the plans; see what one has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import customer_view, identity_of
from accounts.models import StaffMember, Tenant
from core import clock
from supportplans.faq import QUESTIONS
from supportplans.overview import sections_for
from supportplans.selectors import catalogue, subscriptions
from supportplans.selectors.coverage import coverage_at
from supportplans.selectors.figures import figures_at, notice_days
from supportplans.states import END_NOTICES, PlanCode, SubscriptionState

# The two levels that a phone compares first.
COMPARED_FIRST = (PlanCode.LITE, PlanCode.BUSINESS)


@require_safe
def plan_compare(request: HttpRequest) -> HttpResponse:
    """Show plans, prices and all services; on a phone two levels at a time, chosen by the query string."""
    plans = catalogue.plans_with_price(clock.now())
    by_code = {plan.code: plan for plan in plans}
    chosen = [
        by_code.get(request.GET.get(name, ""), by_code[default])
        for name, default in zip(("left", "right"), COMPARED_FIRST, strict=True)
    ]
    matrix = catalogue.comparison_matrix(plans)
    positions = [plans.index(plan) for plan in chosen]
    pairs = [
        (
            group.name,
            [(row.name, [row.cells[position] for position in positions]) for row in group.rows],
        )
        for group in matrix
    ]
    context = {
        "plans": plans,
        "matrix": matrix,
        "chosen": chosen,
        "pairs": pairs,
        "questions": QUESTIONS,
    }
    return render(request, "supportplans/plan_compare.html", context)


@require_safe
def agreement(request: HttpRequest) -> HttpResponse:
    """Show the service agreement in force."""
    return render(
        request, "supportplans/agreement.html", {"agreement": catalogue.agreement_at(clock.now())}
    )


@customer_view()
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show what the tenant has, what is under way and whom to reach."""
    tenant, now = _tenant(request), clock.now()
    context = {
        **_plan_in_force(tenant, now),
        **_managers(tenant),
        "sections": sections_for(tenant.pk, now),
    }
    return render(request, "supportplans/overview.html", context)


@customer_view()
@require_safe
def plan_detail(request: HttpRequest) -> HttpResponse:
    """Show level, term, quotas and every entitlement with what can be done with it (guide 3.2)."""
    tenant, now = _tenant(request), clock.now()
    context = {**_plan_in_force(tenant, now), **_managers(tenant)}
    context["entitlements"] = catalogue.entitlements_for(context["coverage"].plan_code)
    if context["runs"]:
        context["quotas"] = subscriptions.quotas_at(context["subscription"], now)
    return render(request, "supportplans/plan_detail.html", context)


def _plan_in_force(tenant: Tenant, at: datetime) -> dict[str, Any]:
    """Return coverage, the last subscription, whether it runs, and then its days."""
    coverage = coverage_at(tenant.pk, at)
    subscription = subscriptions.subscription_last(tenant.pk)
    runs = (
        subscription is not None
        and subscription.state == SubscriptionState.ACTIVE
        and coverage.ends is not None
    )
    context: dict[str, Any] = {"coverage": coverage, "subscription": subscription, "runs": runs}
    if runs and subscription is not None:
        context["days"] = subscriptions.term_days(subscription, at)
        context["first_notice"] = next(iter(notice_days(figures_at(END_NOTICES, at))), None)
    return context


def _tenant(request: HttpRequest) -> Tenant:
    tenant = identity_of(request).tenant
    if tenant is None:
        raise LookupError("customer_view lets in no one without a tenant")
    return tenant


def _managers(tenant: Tenant) -> dict[str, StaffMember | None]:
    """Return the published cards of the tenant's managers, in one query."""
    wanted = {tenant.account_manager_id, tenant.service_manager_id} - {None}
    cards = StaffMember.objects.in_bulk(wanted) if wanted else {}
    return {
        "account_manager": cards.get(tenant.account_manager_id),
        "service_manager": cards.get(tenant.service_manager_id),
    }
