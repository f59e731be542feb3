"""Changing, extending and leaving a plan that runs. Workers call these for orders; lines are closed, not rewritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.access import Actor
from supportplans.exceptions import SubscriptionEnded
from supportplans.locks import lock_subscriptions, lock_tenant_of
from supportplans.models import PaidLine, Plan, Subscription
from supportplans.services.subscriptions import (
    NewPaidLine,
    new_lines,
    subscription_end,
    subscription_write,
)
from supportplans.states import PlanCode, SubscriptionState

_RANKS = list(PlanCode.values)


@transaction.atomic
def subscription_change(
    *,
    subscription_id: int,
    plan_code: str,
    lines: Sequence[NewPaidLine],
    closed: Mapping[int, Decimal],
    actor: Actor,
    at: datetime,
) -> Subscription:
    """Put a running subscription on another plan until its end; the term stays (domain.md §2).

    ``closed`` are the ids of the lines that end, each with what of its cash is kept (CNY), ``lines`` those that are
    new. Raises SubscriptionEnded.
    """
    subscription = _lock_running(subscription_id, at)
    before = subscription.plan.code
    plan = Plan.objects.get(code=plan_code)
    _close(subscription, closed, at)
    subscription.plan = plan
    went_up = _RANKS.index(plan_code) > _RANKS.index(before)
    subscription_write(
        subscription,
        changed=["plan"],
        lines=new_lines(subscription, lines, plan=plan),
        kind="upgraded" if went_up else "downgraded",
        from_plan=before,
        to_plan=plan_code,
        actor=actor,
        at=at,
    )
    return subscription


@transaction.atomic
def subscription_extend(
    *,
    subscription_id: int,
    ends: datetime,
    lines: Sequence[NewPaidLine],
    actor: Actor,
    at: datetime,
) -> Subscription:
    """Let a running subscription go on until ``ends``, with the lines paid for it. Raises SubscriptionEnded."""
    subscription = _lock_running(subscription_id, at)
    subscription.ends = ends
    subscription_write(
        subscription,
        changed=["ends"],
        lines=new_lines(subscription, lines, plan=subscription.plan),
        kind="renewed",
        from_plan=subscription.plan.code,
        to_plan=subscription.plan.code,
        actor=actor,
        at=at,
    )
    return subscription


@transaction.atomic
def subscription_cancel(
    *, subscription_id: int, closed: Mapping[int, Decimal], actor: Actor, at: datetime
) -> Subscription:
    """Leave the plan now: the account is back on standard service, the lines are closed (domain.md §2).

    One that has reached its end meanwhile keeps that end; only its lines are closed.
    """
    subscription = _lock(subscription_id)
    _close(subscription, closed, at)
    if subscription.state == SubscriptionState.ACTIVE:
        is_over = subscription.ends <= at  # the sweep that notices it comes later
        subscription_end(
            subscription,
            to=SubscriptionState.EXPIRED if is_over else SubscriptionState.CANCELLED,
            kind="expired" if is_over else "cancelled",
            ended_at=subscription.ends if is_over else at,
            actor=actor,
            at=at,
        )
    return subscription


def _lock(subscription_id: int) -> Subscription:
    """Return the subscription, locked after its tenant."""
    lock_tenant_of(Subscription, id=subscription_id)
    return lock_subscriptions().select_related("plan").get(pk=subscription_id)


def _lock_running(subscription_id: int, at: datetime) -> Subscription:
    subscription = _lock(subscription_id)
    if subscription.state != SubscriptionState.ACTIVE or subscription.ends <= at:
        raise SubscriptionEnded
    return subscription


def _close(subscription: Subscription, closed: Mapping[int, Decimal], at: datetime) -> None:
    """Close lines of the subscription that are still open. The caller holds the subscription's lock."""
    for line_id, kept in closed.items():
        PaidLine.objects.filter(
            tenant_id=subscription.tenant_id,
            subscription=subscription,
            pk=line_id,
            closed_at=None,
        ).update(closed_at=at, settled_amount=kept)
