"""Starting and ending subscriptions. Workers and staff call these; customers get there through orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts.access import SYSTEM, Actor
from accounts.services.sweeps import sweep
from core.clock import local
from core.events import publish
from core.money import ZERO
from core.rows import insert_together, update_together
from core.tenancy import scope
from messaging.services import notify
from supportplans.events import SubscriptionChanged
from supportplans.exceptions import SubscriptionAlreadyActive
from supportplans.locks import lock_subscriptions, lock_tenant, lock_tenant_of
from supportplans.models import PaidLine, Plan, Subscription, SubscriptionEvent, SubscriptionNotice
from supportplans.selectors.figures import figures_at, notice_days
from supportplans.states import END_NOTICES, Basis, LineKind, PlanCode, SubscriptionState

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
    subscription = Subscription(
        tenant_id=tenant_id,
        plan=plan,
        basis=basis,
        anchor=starts,
        starts=starts,
        ends=ends,
        created_at=at,
    )
    subscription_write(
        subscription,
        lines=new_lines(subscription, lines, plan=plan),
        kind="started",
        from_plan=PlanCode.STANDARD,
        to_plan=plan.code,
        actor=actor,
        at=at,
    )
    return subscription


def new_lines(
    subscription: Subscription, lines: Sequence[NewPaidLine], *, plan: Plan
) -> list[PaidLine]:
    """Return paid lines of a subscription under ``plan``, not written yet."""
    whose = {"tenant_id": subscription.tenant_id, "subscription": subscription, "plan": plan}
    return [PaidLine(**whose, **vars(line)) for line in lines]


def subscriptions_expire_due(*, at: datetime) -> int:
    """End what has reached its end, in a batch; return how many. Safe to run twice and side by side."""
    ended = _active().filter(ends__lte=at).order_by("ends")
    return sweep(
        "supportplans.subscriptions_expire_due",
        lambda waiting: _rows(ended.exclude(pk__in=waiting)),
        lambda subscription_id: subscription_expire(subscription_id=subscription_id, at=at),
        at=at,
    )


@transaction.atomic
def subscription_expire(*, subscription_id: int, at: datetime) -> bool:
    """End a term that has reached its end; False where it has been ended, or goes on, meanwhile."""
    lock_tenant_of(Subscription, id=subscription_id)
    due = lock_subscriptions().filter(
        pk=subscription_id, state=SubscriptionState.ACTIVE, ends__lte=at
    )
    subscription = due.select_related("plan").first()
    if subscription is None:
        return False
    subscription_end(
        subscription,
        to=SubscriptionState.EXPIRED,
        kind="expired",
        ended_at=subscription.ends,
        actor=SYSTEM,
        at=at,
    )
    _tell(subscription, kind="supportplans.term_ended", key="ended", at=at)
    return True


def end_notices_send(*, at: datetime) -> int:
    """Tell owners some days before the end (by default 30, 15, 7, 3 and 1), each once; return how many were told."""
    with scope.staff():
        days = notice_days(figures_at(END_NOTICES, at))
    return sweep(
        "supportplans.end_notices_send",
        lambda waiting: chain.from_iterable(
            _rows(_to_tell(at, reached, nearer).exclude(pk__in=waiting))
            for reached, nearer in zip(days, (*days[1:], 0), strict=True)
        ),
        lambda subscription_id: end_notice_send(subscription_id=subscription_id, days=days, at=at),
        at=at,
    )


@transaction.atomic
def end_notice_send(*, subscription_id: int, days: Sequence[int], at: datetime) -> bool:
    """Tell an owner that the term ends soon, once for each of ``days`` before the end.

    After an outage only the nearest missed notice is sent: five reminders at once help nobody. The others are recorded
    as covered by it. False where nothing is to be told (any more).
    """
    subscription = _active().select_related("plan").filter(pk=subscription_id, ends__gt=at).first()
    if subscription is None:
        return False
    reached = [count for count in days if subscription.ends - timedelta(days=count) <= at]
    written = SubscriptionNotice.objects.filter(subscription=subscription, ends=subscription.ends)
    done = set(written.values_list("days", flat=True))
    if not reached or min(reached) in done:
        return False
    SubscriptionNotice.objects.bulk_create(
        [
            SubscriptionNotice(
                tenant_id=subscription.tenant_id,
                subscription=subscription,
                ends=subscription.ends,
                days=count,
                created_at=at,
            )
            for count in reached
            if count not in done
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
    return True


def _active() -> QuerySet[Subscription]:
    return Subscription.objects.filter(state=SubscriptionState.ACTIVE)


def _to_tell(at: datetime, days: int, nearer: int) -> QuerySet[Subscription]:
    """Return what ends within ``days``, not within ``nearer`` days, and whose owner was not told so."""
    told = SubscriptionNotice.objects.filter(
        subscription=OuterRef("pk"), ends=OuterRef("ends"), days=days
    )
    within = {"ends__gt": at + timedelta(days=nearer), "ends__lte": at + timedelta(days=days)}
    return _active().filter(~Exists(told), **within).order_by("ends")


def _rows(subscriptions: QuerySet[Subscription]) -> list[tuple[int, str]]:
    """Return a batch for a sweep, each with the customer's name."""
    return list(subscriptions.values_list("pk", "tenant__name")[:SWEEP_BATCH])


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
    subscription.state, subscription.ended_at = to, ended_at
    subscription_write(
        subscription,
        changed=["state", "ended_at"],
        kind=kind,
        from_plan=subscription.plan.code,
        to_plan=PlanCode.STANDARD,
        actor=actor,
        at=ended_at,
        noticed_at=at,
    )


def subscription_write(
    subscription: Subscription,
    *,
    changed: Sequence[str] = (),
    lines: Sequence[PaidLine] = (),
    kind: str,
    from_plan: str,
    to_plan: str,
    actor: Actor,
    at: datetime,
    noticed_at: datetime | None = None,
) -> None:
    """Write a new subscription, or the ``changed`` fields of one, with its new lines and a line of history; publish the
    change. The caller holds the locks."""
    event = SubscriptionEvent(
        tenant_id=subscription.tenant_id,
        subscription=subscription,
        kind=kind,
        from_plan=from_plan,
        to_plan=to_plan,
        created_at=at,
        noticed_at=noticed_at,
        **actor.snapshot(),
    )
    if subscription.pk is None:
        insert_together(subscription, *lines, event)
    else:
        update_together(subscription, changed, *lines, event)
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
