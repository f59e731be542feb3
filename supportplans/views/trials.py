"""Trials: the customer's application, the account managers' decisions."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actor_of, customer_view, identity_of, staff_view
from accounts.models.tenants import TenantRole
from accounts.models.users import StaffRole
from core import clock
from core.exceptions import DomainError
from supportplans.forms import TrialDecisionForm, TrialForm
from supportplans.models import TrialApplication
from supportplans.selectors.figures import figure_at
from supportplans.selectors.trials import (
    PAGE,
    trial_open_for,
    trial_refusal,
    trials_to_decide,
)
from supportplans.services import trials
from supportplans.states import FigureCode, PlanCode

ROLES = (StaffRole.ACCOUNT_MANAGER, StaffRole.TEAM_LEAD)
DECISIONS = ("grant", "refuse")


@customer_view(least=TenantRole.OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def trial_apply(request: HttpRequest) -> HttpResponse:
    """Ask to try a plan, once per account."""
    now, tenant_id = clock.now(), identity_of(request).tenant_id
    if tenant_id is None:
        raise Http404
    form = TrialForm(request.POST or None, initial={"plan": PlanCode.BUSINESS})
    error = ""
    if request.method == "POST" and form.is_valid():
        try:
            trials.trial_apply(
                tenant_id=tenant_id,
                plan_code=form.cleaned_data["plan"],
                reason=form.cleaned_data["reason"],
                actor=actor_of(request),
                at=now,
            )
        except DomainError as refused:
            error = str(refused.message)
        else:
            messages.success(request, _("试用申请已提交，客户经理将尽快处理"))
            return redirect("supportplans:trial_apply")
    context: dict[str, Any] = {
        "form": form,
        "error": error,
        "refusal": trial_refusal(tenant_id, now),
        "application": trial_open_for(tenant_id),
        "days": int(figure_at(FigureCode.TRIAL_DAYS, now)),
    }
    status = 409 if error else 422 if form.errors else 200
    return render(request, "supportplans/trial_form.html", context, status=status)


@customer_view(least=TenantRole.OWNER)
@require_POST
def trial_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the application back."""
    tenant = identity_of(request).tenant
    if tenant is None or not TrialApplication.objects.filter(tenant=tenant, pk=pk).exists():
        raise Http404
    try:
        trials.trial_withdraw(application_id=pk, at=clock.now())
    except DomainError as refused:
        messages.error(request, str(refused.message))
    else:
        messages.success(request, _("试用申请已取消"))
    return redirect("supportplans:trial_apply")


@staff_view(*ROLES)
@require_safe
def desk_trial_list(request: HttpRequest) -> HttpResponse:
    """Show what waits for a decision, the oldest first."""
    return _desk_list(request, status=200)


@staff_view(*ROLES)
@require_POST
def desk_trial_decide(request: HttpRequest, pk: int, decision: str) -> HttpResponse:
    """Grant or refuse an application; a refusal by the rules stands beside its row and loses nothing typed."""
    if decision not in DECISIONS or not TrialApplication.objects.filter(pk=pk).exists():
        raise Http404
    form = TrialDecisionForm(request.POST)
    error = "" if form.is_valid() else str(next(iter(form.errors.values()))[0])
    if not error:
        data, actor, now = form.cleaned_data, actor_of(request), clock.now()
        try:
            if decision == "grant":
                trials.trial_grant(application_id=pk, days=data["days"], actor=actor, at=now)
            else:
                trials.trial_refuse(application_id=pk, answer=data["answer"], actor=actor, at=now)
        except DomainError as refused:
            error = str(refused.message)
        else:
            messages.success(request, _("试用申请已处理"))
            return redirect("supportplans:desk_trial_list")
    return _desk_list(request, status=422, wrong=pk, error=error)


def _desk_list(
    request: HttpRequest, *, status: int, wrong: int | None = None, error: str = ""
) -> HttpResponse:
    after = request.GET.get("after", "")
    found = trials_to_decide(int(after) if after.isdigit() else None)
    context = {
        "applications": found[:PAGE],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "days": int(figure_at(FigureCode.TRIAL_DAYS, clock.now())),
        "wrong": wrong,
        "error": error,
        "typed": request.POST,
    }
    return render(request, "supportplans/desk_trial_list.html", context, status=status)
