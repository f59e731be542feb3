"""Trials: a customer applies, an account manager decides, once per account (domain.md §2)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accounts.access import Actor
from accounts.models import Tenant
from core.clock import local
from messaging.services import notify
from supportplans import exceptions as errors
from supportplans.locks import lock_tenant, lock_tenant_of, lock_trial_applications
from supportplans.models import Plan, TrialApplication
from supportplans.selectors.figures import figure_at
from supportplans.selectors.subscriptions import subscription_current
from supportplans.selectors.trials import trial_refusal
from supportplans.services.subscriptions import subscription_start
from supportplans.states import Basis, FigureCode, PlanCode, TrialState

DAYS_MAX = 365


@transaction.atomic
def trial_apply(
    *, tenant_id: int, plan_code: str, reason: str, actor: Actor, at: datetime
) -> TrialApplication:
    """Ask to try a plan. The same again returns the open application. Raises TrialNotPossible."""
    lock_tenant(tenant_id)
    open_one = TrialApplication.objects.filter(tenant_id=tenant_id, state=TrialState.REQUESTED)
    if (existing := open_one.select_related("plan").first()) is not None:
        return existing
    if trial_refusal(tenant_id, at) or plan_code in {"", PlanCode.STANDARD}:
        raise errors.TrialNotPossible
    plan, tenant = Plan.objects.get(code=plan_code), Tenant.objects.get(pk=tenant_id)
    application = TrialApplication.objects.create(
        tenant_id=tenant_id,
        plan=plan,
        reason=reason[:500],
        created_at=at,
        **actor.snapshot(),
    )
    notify(
        "supportplans.trial_applied",
        key=str(application.pk),
        audience=["tenant:account_manager"],
        context={"tenant": tenant.name, "plan": plan.name, "plan_en": plan.name_en},
        staff_url="/desk/trials/",
        tenant_id=tenant_id,
        at=at,
    )
    return application


@transaction.atomic
def trial_withdraw(*, application_id: int, at: datetime) -> TrialApplication:
    """Take an application back before it is decided. Raises TrialAlreadyDecided."""
    application = _lock_open(application_id)
    application.state = TrialState.WITHDRAWN
    application.decided_at = at
    application.save(update_fields=["state", "decided_at"])
    return application


@transaction.atomic
def trial_grant(
    *, application_id: int, days: int | None, actor: Actor, at: datetime
) -> TrialApplication:
    """Start the trial for ``days`` (default: the figure in force). Runs in staff's scope.

    Raises TrialAlreadyDecided, TrialDaysInvalid, TrialNotPossible when a plan has been bought meanwhile.
    """
    application = _lock_open(application_id)
    if days is None:
        days = int(figure_at(FigureCode.TRIAL_DAYS, at))
    if not 1 <= days <= DAYS_MAX:
        raise errors.TrialDaysInvalid(field="days")
    running = subscription_current(application.tenant_id)
    if running is not None and running.ends > at:
        raise errors.TrialNotPossible
    starts = at.replace(microsecond=0)
    subscription = subscription_start(
        tenant_id=application.tenant_id,
        plan_code=application.plan.code,
        basis=Basis.TRIAL,
        starts=starts,
        ends=starts + timedelta(days=days),
        lines=[],
        actor=actor,
        at=at,
    )
    application.days = days
    ends = f"{local(subscription.ends):%Y-%m-%d %H:%M:%S}"
    _decide(application, to=TrialState.GRANTED, answer="", ends=ends, actor=actor, at=at)
    return application


@transaction.atomic
def trial_refuse(
    *, application_id: int, answer: str, actor: Actor, at: datetime
) -> TrialApplication:
    """Refuse an application, with a reason that the customer reads. Raises TrialAlreadyDecided, AnswerMissing."""
    application = _lock_open(application_id)
    if not answer.strip():
        raise errors.AnswerMissing(field="answer")
    said = answer.strip()[:500]
    _decide(application, to=TrialState.REFUSED, answer=said, ends="", actor=actor, at=at)
    return application


def _lock_open(application_id: int) -> TrialApplication:
    """Return an open application, locked after its tenant."""
    lock_tenant_of(TrialApplication, id=application_id)
    application = lock_trial_applications().select_related("plan").get(pk=application_id)
    if application.state != TrialState.REQUESTED:
        raise errors.TrialAlreadyDecided
    return application


def _decide(
    application: TrialApplication,
    *,
    to: str,
    answer: str,
    ends: str,
    actor: Actor,
    at: datetime,
) -> None:
    application.state = to
    application.answer = answer
    application.decided_at = at
    application.decided_by = actor.name
    application.save(update_fields=["state", "answer", "days", "decided_at", "decided_by"])
    notify(
        "supportplans.trial_decided",
        key=str(application.pk),
        audience=["tenant:administrators"],
        context={
            "granted": to == TrialState.GRANTED,
            "plan": application.plan.name,
            "plan_en": application.plan.name_en,
            "days": application.days,
            "ends": ends,
            "answer": answer,
        },
        url="/support/plan/",
        tenant_id=application.tenant_id,
        at=at,
    )
