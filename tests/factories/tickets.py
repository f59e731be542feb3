"""Tickets for tests, made by the real services."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.access import SYSTEM, Actor
from accounts.models import Tenant
from core import clock
from supportplans.models import AssuranceWindow
from supportplans.services.subscriptions import subscription_start
from supportplans.states import Basis, PlanCode, Severity, WindowState
from tickets.models import Ticket
from tickets.services.tickets import ticket_submit
from tickets.states import TicketKind

NOW = datetime(2026, 11, 23, 10, 2, 11, tzinfo=ZoneInfo("Asia/Shanghai"))


def minutes(count: float) -> datetime:
    """Return the instant ``count`` minutes after the tests' usual start."""
    return NOW + timedelta(minutes=count)


def subscribe(
    tenant: Tenant, plan: PlanCode = PlanCode.ENTERPRISE, basis: Basis = Basis.PAID, *, at: datetime
) -> None:
    """Give a tenant a plan for a year from ``at``."""
    subscription_start(
        tenant_id=tenant.pk,
        plan_code=plan,
        basis=basis,
        starts=at,
        ends=clock.add_years(at, 1),
        lines=[],
        actor=SYSTEM,
        at=at,
    )


def open_window(tenant: Tenant, level: int, *, starts: datetime, ends: datetime) -> AssuranceWindow:
    """Approve an assurance window."""
    return AssuranceWindow.objects.create(
        tenant=tenant,
        level=level,
        title="大促",
        starts=starts,
        ends=ends,
        state=WindowState.APPROVED,
        created_at=starts,
    )


def submit(tenant: Tenant, actor: Actor, *, at: datetime = NOW, **changes: Any) -> Ticket:
    """Submit an urgent technical ticket."""
    given: dict[str, Any] = {
        "title": "ECS 实例大面积无法连接",
        "body": "14 台云主机同时无法 SSH，请尽快处理。",
        "severity": Severity.URGENT,
        "kind": TicketKind.TECHNICAL,
        "category": None,
        "product_line": None,
    }
    return ticket_submit(tenant_id=tenant.pk, actor=actor, at=at, **{**given, **changes})
