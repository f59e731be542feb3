"""Starting and ending subscriptions. Workers and staff call these; customers get there through orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from accounts.access import SYSTEM, Actor
from core.clock import local
from core.events import publish
from core.money import ZERO
from messaging.services import notify
from supportplans.events import SubscriptionChanged
from supportplans.exceptions import SubscriptionAlreadyActive
from supportplans.locks import lock_subscriptions, lock_tenant
from supportplans.models import PaidLine, Plan, Subscription, SubscriptionEvent, SubscriptionNotice
from supportplans.states import Basis, LineKind, PlanCode, SubscriptionState

# Days before the end on which the owner is told (domain.md §2).
NOTICE_DAYS = (30, 15, 7, 3, 1)
SWEEP_BATCH = 200


@dataclass(frozen=True)
class NewPaidLine:
    """A line to be written with a subscription. Amounts in CNY; ``cash`` per method."""

    order_number: str
    kind: LineKind
    monthly: Decimal
    starts: datetime
    ends: datetime
    bought_at: datetime
    paid_days: int
    list_amount: Decimal
    from_monthly: Decimal = ZERO
    coupon_amount: Decimal = ZERO
    voucher_amount: Decimal = ZERO
    cash: dict[str, str] = field(default_factory=dict)


@transaction.atomic
def subscription_start(
    *,
    tenant_id: int,
    plan_code: str,
    basis: str,
    starts: datetime,
    ends: datetime,
    lines: Sequence[NewPaidLine],
    actor: Actor,
    at: datetime,
) -> Subscription:
    """Give a tenant a plan from ``starts`` to ``ends``, with the lines that were paid for it.

    A running trial ends now: buying replaces it (domain.md §2). Raises SubscriptionAlreadyActive while another plan
    runs.
    """
    lock_tenant(tenant_id)
    running = (
        lock_subscriptions().filter(tenant_id=tenant_id, state=SubscriptionState.ACTIVE).first()
    )
    return subscription_follow(
        running,
        tenant_id=tenant_id,
        plan=Plan.objects.get(code=plan_code),
        basis=basis,
        starts=starts,
        ends=ends,
        lines=lines,
        actor=actor,
        at=at,
    )


def subscription_follow(
    running: Subscription | None,
    *,
    tenant_id: int,
    plan: Plan,
    basis: str,
    starts: datetime,
    ends: datetime,
    lines: Sequence[NewPaidLine],
    actor: Actor,
    at: datetime,
) -> Subscription:
    """Start a plan after, or in place of, the tenant's ``running`` one, as ``subscription_start`` does.

    The caller holds the locks of tenant and subscriptions. Raises SubscriptionAlreadyActive.
    """
    if running is not None and running.ends <= at:
        subscription_end(
            running,
            to=SubscriptionState.EXPIRED,
            kind="expired",
            ended_at=running.ends,
            actor=SYSTEM,
            at=at,
        )
    elif running is not None and running.basis != Basis.PAID and basis == Basis.PAID:
        subscription_end(
            running,
            to=SubscriptionState.CANCELLED,
            kind="cancelled",
            ended_at=at,
            actor=actor,
            at=at,
        )
    elif running is not None:
        raise SubscriptionAlreadyActive
    subscription = Subscription.objects.create(
        tenant_id=tenant_id,
        plan=plan,
        basis=basis,
        anchor=starts,
        starts=starts,
        ends=ends,
        created_at=at,
    )
    lines_add(subscription, lines, plan=plan)
    subscription_record(
        subscription,
        kind="started",
        from_plan=PlanCode.STANDARD,
        to_plan=plan.code,
        actor=actor,
        at=at,
    )
    return subscription


def lines_add(subscription: Subscription, lines: Sequence[NewPaidLine], *, plan: Plan) -> None:
    """Write paid lines of a subscription under ``plan``."""
    PaidLine.objects.bulk_create(
        PaidLine(
            tenant_id=subscription.tenant_id, subscription=subscription, plan=plan, **vars(line)
        )
        for line in lines
    )


@transaction.atomic
def subscriptions_expire_due(*, at: datetime) -> int:
    """End what has reached its end, in a batch; return how many. Safe to run twice and side by side."""
    due = (
        Subscription.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state=SubscriptionState.ACTIVE, ends__lte=at)
        .select_related("plan")
        .order_by("ends")[:SWEEP_BATCH]
    )
    ended = 0
    for subscription in due:
        subscription_end(
            subscription,
            to=SubscriptionState.EXPIRED,
            kind="expired",
            ended_at=subscription.ends,
            actor=SYSTEM,
            at=at,
        )
        _tell(subscription, kind="supportplans.term_ended", key="ended", at=at)
        ended += 1
    return ended


@transaction.atomic
def end_notices_send(*, at: datetime) -> int:
    """Tell owners 30, 15, 7, 3 and 1 day before the end, each once; return how many notices were written.

    After an outage only the nearest missed notice is sent: five reminders at once help nobody. The others are
    recorded as covered by it.
    """
    soon = Subscription.objects.filter(
        state=SubscriptionState.ACTIVE, ends__gt=at, ends__lte=at + timedelta(days=max(NOTICE_DAYS))
    ).select_related("plan")
    sent = 0
    for subscription in soon.iterator(chunk_size=SWEEP_BATCH):
        reached = [days for days in NOTICE_DAYS if subscription.ends - timedelta(days=days) <= at]
        written = SubscriptionNotice.objects.filter(
            subscription=subscription, ends=subscription.ends
        )
        done = set(written.values_list("days", flat=True))
        if not reached or min(reached) in done:
            continue
        SubscriptionNotice.objects.bulk_create(
            [
                SubscriptionNotice(
                    tenant_id=subscription.tenant_id,
                    subscription=subscription,
                    ends=subscription.ends,
                    days=days,
                    created_at=at,
                )
                for days in reached
                if days not in done
            ],
            ignore_conflicts=True,
        )
        _tell(
            subscription,
            kind="supportplans.term_ending",
            key=f"ending-{min(reached)}",
            at=at,
            days=min(reached),
        )
        sent += 1
    return sent


def subscription_end(
    subscription: Subscription,
    *,
    to: str,
    kind: str,
    ended_at: datetime,
    actor: Actor,
    at: datetime,
) -> None:
    """Write the end and its history, and publish it. The caller holds the row lock."""
    subscription.state = to
    subscription.ended_at = ended_at
    subscription.save(update_fields=["state", "ended_at"])
    from_plan = subscription.plan.code
    subscription_record(
        subscription,
        kind=kind,
        from_plan=from_plan,
        to_plan=PlanCode.STANDARD,
        actor=actor,
        at=ended_at,
        noticed_at=at,
    )


def subscription_record(
    subscription: Subscription,
    *,
    kind: str,
    from_plan: str,
    to_plan: str,
    actor: Actor,
    at: datetime,
    noticed_at: datetime | None = None,
) -> None:
    """Write a line of the subscription's history and publish the change."""
    SubscriptionEvent.objects.create(
        tenant_id=subscription.tenant_id,
        subscription=subscription,
        kind=kind,
        from_plan=from_plan,
        to_plan=to_plan,
        created_at=at,
        noticed_at=noticed_at,
        **actor.snapshot(),
    )
    publish(
        SubscriptionChanged(
            tenant_id=subscription.tenant_id,
            subscription_id=subscription.pk,
            kind=kind,
            from_plan=from_plan,
            to_plan=to_plan,
            at=at,
        )
    )


def _tell(subscription: Subscription, *, kind: str, key: str, at: datetime, days: int = 0) -> None:
    notify(
        kind,
        key=f"subscription-{subscription.pk}-{subscription.ends:%Y%m%d}-{key}",
        audience=["tenant:owner", "tenant:account_manager"],
        context={
            "plan": subscription.plan.name,
            "plan_en": subscription.plan.name_en,
            "ends": f"{local(subscription.ends):%Y-%m-%d %H:%M:%S}",
            "days": days,
        },
        url="/support/plan/",
        tenant_id=subscription.tenant_id,
        at=at,
    )
