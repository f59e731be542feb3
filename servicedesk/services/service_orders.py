"""The life of a service order: filed, approved or rejected, delivered, completed, rated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.files.base import File
from django.db import transaction
from django.urls import reverse

from accounts.access import Actor
from accounts.models import StaffMember
from accounts.services.audit import audit_record
from core.files import DOCUMENTS, validate_upload
from core.numbering import service_order_number
from messaging.services import notify
from servicedesk.exceptions import (
    DeliverableMissing,
    ItemNotIncluded,
    RatingNotOpen,
    ReasonMissing,
    ServiceOrderMoveRefused,
)
from servicedesk.locks import lock_service_orders
from servicedesk.models import Deliverable, ServiceOrder, ServiceOrderEvent, ServiceOrderRating
from servicedesk.selectors import rating_open, scenarios_for
from servicedesk.states import DeliverableKind, Origin, State
from supportplans.models import ServiceItem
from supportplans.selectors.coverage import coverage_at


@transaction.atomic
def service_order_file(
    *,
    tenant_id: int,
    item_code: str,
    scenario: str,
    contact: str,
    delivery: str,
    fields: Mapping[str, str],
    origin: Origin,
    actor: Actor,
    at: datetime,
) -> ServiceOrder:
    """File a service order for a tenant.

    Staff's and the system's own orders need no approval and are in progress at once; a customer's waits for approval
    (domain.md §7). Raises ItemNotIncluded when the plan in force does not give the service on this occasion.
    """
    scenarios = scenarios_for(coverage_at(tenant_id, at).plan_code, item_code)
    if scenario not in scenarios:
        raise ItemNotIncluded(field="scenario")
    by_staff = origin != Origin.CUSTOMER
    order = ServiceOrder.objects.create(
        tenant_id=tenant_id,
        number=service_order_number(at),
        item=ServiceItem.objects.get(code=item_code),
        scenario=scenario,
        origin=origin,
        contact=contact,
        delivery=delivery,
        fields=dict(fields),
        state=State.IN_PROGRESS if by_staff else State.REQUESTED,
        handler=StaffMember.objects.filter(user=actor.user).first()
        if by_staff and actor.user
        else None,
        started_at=at if by_staff else None,
        created_at=at,
        **actor.snapshot(),
    )
    _record(order, text="提交服务单", to=order.state, actor=actor, at=at)
    _tell(order, "filed", ["tenant:administrators", "tenant:account_manager"], at=at)
    return order


@transaction.atomic
def service_order_approve(*, order_id: int, actor: Actor, at: datetime) -> ServiceOrder:
    """Take a customer's application into work. Raises ServiceOrderMoveRefused."""
    order = _locked(order_id, State.IN_PROGRESS)
    order.handler = StaffMember.objects.filter(user=actor.user).first()
    order.started_at = at
    _move(order, State.IN_PROGRESS, "审批通过", ["handler", "started_at"], actor, at)
    _tell(order, "approved", ["tenant:administrators"], at=at)
    return order


@transaction.atomic
def service_order_reject(*, order_id: int, reason: str, actor: Actor, at: datetime) -> ServiceOrder:
    """Refuse an application with a reason. Raises ReasonMissing, ServiceOrderMoveRefused."""
    order = _locked(order_id, State.REJECTED)
    order.reason = _reason(reason)
    _move(order, State.REJECTED, f"驳回：{order.reason}", ["reason"], actor, at)
    _tell(order, "rejected", ["tenant:administrators"], at=at)
    return order


@transaction.atomic
def service_order_cancel(*, order_id: int, reason: str, actor: Actor, at: datetime) -> ServiceOrder:
    """Stop an order that is not completed. Raises ReasonMissing, ServiceOrderMoveRefused."""
    order = _locked(order_id, State.CANCELLED)
    order.reason = _reason(reason)
    _move(order, State.CANCELLED, f"取消：{order.reason}", ["reason"], actor, at)
    return order


@transaction.atomic
def deliverable_add(
    *, order_id: int, kind: DeliverableKind, upload: File[Any], actor: Actor, at: datetime
) -> Deliverable:
    """Add a file; the same name again is its next version.

    Raises ServiceOrderMoveRefused unless the order is in progress, and the refusals of ``core.files``.
    """
    order = lock_service_orders().select_related("tenant").get(pk=order_id)
    if order.state != State.IN_PROGRESS:
        raise ServiceOrderMoveRefused
    facts = validate_upload(upload, allowed=DOCUMENTS)
    earlier = Deliverable.objects.filter(service_order=order, kind=kind, name=facts.name).count()
    deliverable = Deliverable.objects.create(
        tenant=order.tenant,
        service_order=order,
        kind=kind,
        name=facts.name,
        version=earlier + 1,
        file=File(upload.file, name=facts.name) if hasattr(upload, "file") else upload,
        size=facts.size,
        content_type=facts.content_type,
        sha256=facts.sha256,
        created_at=at,
        **actor.snapshot(),
    )
    _record(order, text=f"上传{kind.label}：{deliverable}", to="", actor=actor, at=at)
    return deliverable


@transaction.atomic
def service_order_complete(*, order_id: int, actor: Actor, at: datetime) -> ServiceOrder:
    """Complete an order that has at least one deliverable. Raises DeliverableMissing, ServiceOrderMoveRefused."""
    order = _locked(order_id, State.COMPLETED)
    if not order.deliverables.filter(kind=DeliverableKind.DELIVERABLE).exists():
        raise DeliverableMissing
    order.completed_at = at
    _move(order, State.COMPLETED, "完成服务单", ["completed_at"], actor, at)
    _tell(order, "completed", ["tenant:administrators"], at=at)
    return order


@transaction.atomic
def service_order_rate(
    *, order_id: int, speed: int, quality: int, suggestion: str, actor: Actor, at: datetime
) -> ServiceOrderRating:
    """Rate a completed order, or change the rating within seven days. Raises RatingNotOpen."""
    order = lock_service_orders().get(pk=order_id)
    rating = ServiceOrderRating.objects.filter(service_order=order).first()
    if not rating_open(order, rating, at):
        raise RatingNotOpen
    if rating is None:
        rating = ServiceOrderRating(
            tenant_id=order.tenant_id, service_order=order, created_at=at, **actor.snapshot()
        )
    else:
        rating.changed_at = at
    rating.speed, rating.quality, rating.suggestion = speed, quality, suggestion
    rating.save()
    _record(
        order, text=f"评价：响应速度 {speed} 星，交付物质量 {quality} 星", to="", actor=actor, at=at
    )
    _tell(order, "rated", ["tenant:account_manager"], at=at, speed=speed, quality=quality)
    return rating


@transaction.atomic
def risk_letter_confirm(*, deliverable: Deliverable, actor: Actor, at: datetime) -> bool:
    """Confirm a risk letter in the customer's name; False if that was done before."""
    changed = Deliverable.objects.filter(
        pk=deliverable.pk, kind=DeliverableKind.RISK_LETTER, confirmed_at=None
    ).update(confirmed_at=at, confirmed_by=actor.name)
    if changed:
        order = deliverable.service_order
        _record(order, text=f"确认风险确认函：{deliverable}", to="", actor=actor, at=at)
    return bool(changed)


def _locked(order_id: int, to: State) -> ServiceOrder:
    order = lock_service_orders().get(pk=order_id)
    if not order.can_become(to):
        raise ServiceOrderMoveRefused
    return order


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ReasonMissing(field="reason")
    return reason.strip()[:280]


def _move(  # noqa: PLR0917  (called in this file only, always in this order)
    order: ServiceOrder, to: State, text: str, changed: list[str], actor: Actor, at: datetime
) -> None:
    """Write the new state, its history and the audit trail. The caller holds the row lock."""
    order.state = to
    order.save(update_fields=["state", *changed])
    _record(order, text=text, to=to, actor=actor, at=at)
    audit_record(
        action=f"servicedesk.{to}",
        subject=order.number,
        actor=actor,
        at=at,
        tenant_id=order.tenant_id,
    )


def _record(order: ServiceOrder, *, text: str, to: str, actor: Actor, at: datetime) -> None:
    ServiceOrderEvent.objects.create(
        tenant_id=order.tenant_id,
        service_order=order,
        text=text[:300],
        to_state=to,
        created_at=at,
        **actor.snapshot(),
    )


def _tell(
    order: ServiceOrder, event: str, audience: list[str], *, at: datetime, **figures: Any
) -> None:
    notify(
        f"servicedesk.{event}",
        key=f"{order.number}-{event}-{at.isoformat()}"
        if event == "rated"
        else f"{order.number}-{event}",
        audience=audience,
        context={
            "number": order.number,
            "item": order.item.name,
            "item_en": order.item.name_en,
            "reason": order.reason,
            **figures,
        },
        url=order.get_absolute_url(),
        staff_url=reverse("servicedesk:desk_service_order_detail", args=[order.number]),
        tenant_id=order.tenant_id,
        at=at,
    )
