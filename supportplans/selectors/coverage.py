"""The one answer to "which plan, which targets, which priority, which assurance level" at an instant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import CharField, F, Q, SmallIntegerField, Value
from django.db.models.functions import Greatest

from supportplans import coverage_rules as rules
from supportplans.models import (
    AccountLink,
    AssuranceWindow,
    Plan,
    ResponseTarget,
    Subscription,
    SubscriptionEvent,
)
from supportplans.states import LinkSide, LinkState, PlanCode, WindowState


class Principal(NamedTuple):
    """The account that shares its restore priority with a linked one."""

    name: str
    restore_priority: int | None


@dataclass(frozen=True)
class Coverage:
    """What a tenant has at an instant. Targets in minutes per severity, around the clock."""

    plan: Plan
    subscription: Subscription | None
    basis: str | None
    starts: datetime | None
    ends: datetime | None
    assurance_level: int | None
    restore_priority: int
    principal: Principal | None
    target_minutes: Mapping[str, int]
    plan_minutes: Mapping[str, int]

    @property
    def plan_code(self) -> str:
        """Return the plan's code."""
        return self.plan.code

    @property
    def promised(self) -> bool:
        """Return True if the targets are promised, not only shown."""
        return rules.is_promised(self.plan.code, self.basis)

    @property
    def vip_desk(self) -> bool:
        """Return True if the VIP desk answers: the plan has it, or a principal shares it (domain.md §5)."""
        return self.plan.vip_desk or self.principal is not None


def coverage_at(tenant_id: int, at: datetime) -> Coverage:
    """Return the coverage of one tenant at ``at``. Three queries."""
    return coverages_at([tenant_id], at)[tenant_id]


def coverages_at(tenant_ids: Collection[int], at: datetime) -> dict[int, Coverage]:
    """Return the coverage of each tenant at ``at``, with the same three queries for any number of them.

    A subscription counts from its start to its end, whatever the sweep has noticed since.
    """
    plans, targets = _plans_at(at)
    standard = next(plan for plan in plans.values() if plan.code == PlanCode.STANDARD)
    subscriptions = {
        row.tenant_id: row
        for row in Subscription.objects.filter(
            tenant_id__in=tenant_ids, starts__lte=at, ends__gt=at
        )
        .filter(Q(ended_at=None) | Q(ended_at__gt=at))
        .order_by("starts")
    }
    levels, principals = _windows_and_links(tenant_ids, at)
    result = {}
    for tenant_id in tenant_ids:
        subscription = subscriptions.get(tenant_id)
        plan = plans[subscription.plan_id] if subscription else standard
        if subscription:
            subscription.plan = plan  # without asking for it again
        level = rules.highest_level(levels.get(tenant_id, []))
        principal = principals.get(tenant_id)
        result[tenant_id] = Coverage(
            plan=plan,
            subscription=subscription,
            basis=subscription.basis if subscription else None,
            starts=subscription.starts if subscription else None,
            ends=subscription.ends if subscription else None,
            assurance_level=level,
            restore_priority=rules.priority_in_force(
                plan.restore_priority, level, principal.restore_priority if principal else None
            ),
            principal=principal,
            target_minutes=rules.targets_in_window(targets[plan.pk], level),
            plan_minutes=targets[plan.pk],
        )
    return result


@dataclass(frozen=True)
class TargetHistory:
    """Every version of the response targets: ``(plan code, severity, minutes, effective from)``, oldest first."""

    versions: list[tuple[str, str, int, datetime]]

    def minutes(self, plan_code: str, severity: str, level: int | None, at: datetime) -> int:
        """Return the target of the version in force at ``at``, in a window of ``level`` or outside any (None)."""
        plan_minutes = {
            row_severity: minutes
            for code, row_severity, minutes, since in self.versions
            if code == plan_code and since <= at
        }
        return rules.targets_in_window(plan_minutes, level)[severity]


def target_history() -> TargetHistory:
    """Return all versions of the targets: a clock keeps to those in force when it started. One query."""
    rows = ResponseTarget.objects.order_by("effective_from")
    return TargetHistory(
        list(rows.values_list("plan__code", "severity", "minutes", "effective_from"))
    )


def plan_code_at(tenant_id: int, at: datetime) -> str:
    """Return the plan that a tenant had at a past instant, whatever has been bought or left since. One query."""
    changes = SubscriptionEvent.objects.filter(tenant_id=tenant_id, created_at__lte=at)
    last = changes.order_by("-created_at", "-id").values_list("to_plan", flat=True).first()
    return last or PlanCode.STANDARD


def windows_begun(
    tenant_id: int, *, since: datetime, until: datetime
) -> list[tuple[int, datetime]]:
    """Return ``(level, instant)`` of the windows of level one and two that began between two instants, in order.

    Those that have ended meanwhile count as well. A window that was filed late began when it was filed. One query.
    """
    windows = (
        AssuranceWindow.objects.filter(
            tenant_id=tenant_id,
            state__in=[WindowState.APPROVED, WindowState.ENDED],
            level__in=[rules.LEVEL_ONE, rules.LEVEL_TWO],
        )
        .alias(began=Greatest("starts", "created_at"))
        .filter(began__gte=since, began__lte=until, ends__gt=F("began"))
        .order_by("began", "level")
    )
    return list(windows.values_list("level", Greatest("starts", "created_at")))


def _plans_at(at: datetime) -> tuple[dict[int, Plan], dict[int, dict[str, int]]]:
    """Return the plans by id and minutes per plan id and severity, of the versions in force at ``at``. One query."""
    rows = ResponseTarget.objects.filter(effective_from__lte=at).select_related("plan")
    plans: dict[int, Plan] = {}
    targets: dict[int, dict[str, int]] = {}
    for row in rows.order_by("effective_from"):  # later versions overwrite earlier ones
        plans[row.plan_id] = row.plan
        targets.setdefault(row.plan_id, {})[row.severity] = row.minutes
    return plans, targets


def _windows_and_links(
    tenant_ids: Collection[int], at: datetime
) -> tuple[dict[int, list[int]], dict[int, Principal]]:
    """Return the levels of each tenant's windows at ``at``, and its principal if it has one. One query."""
    windows = (
        AssuranceWindow.objects.filter(tenant_id__in=tenant_ids, state=WindowState.APPROVED)
        .filter(starts__lte=at, ends__gt=at)
        .annotate(principal=Value(None, CharField()), priority=Value(None, SmallIntegerField()))
        .values_list("tenant_id", "level", "principal", "priority")
    )
    links = (
        AccountLink.objects.filter(tenant_id__in=tenant_ids)
        .filter(side=LinkSide.LINKED, state=LinkState.ACTIVE)
        .annotate(level=Value(None, SmallIntegerField()))
        .values_list("tenant_id", "level", "name", "restore_priority")
    )
    levels: dict[int, list[int]] = {}
    principals: dict[int, Principal] = {}
    for tenant_id, level, name, priority in windows.union(links, all=True):
        if level is not None:
            levels.setdefault(tenant_id, []).append(level)
        else:
            principals[tenant_id] = Principal(name, priority)
    return levels, principals
