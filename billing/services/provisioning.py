"""What the worker does with a paid order: two steps, each safe to run twice; a crash between them loses nothing."""

from __future__ import annotations

import logging
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Subquery

from accounts.access import SYSTEM
from billing.events import OrderCompleted
from billing.exceptions import NotDeliverable
from billing.locks import lock_orders
from billing.models import Order
from billing.services.fulfilment import order_fulfil
from billing.services.history import order_move
from billing.services.ledger import ledger_post
from billing.services.refunds import refunds_create
from billing.services.top_ups import top_up_finish
from billing.services.vouchers import funds_return
from billing.states import AccountKind, OrderState, OrderType, PostingKind
from core.clock import local
from core.events import publish
from core.money import ZERO
from messaging.services import notify
from supportplans.locks import lock_subscriptions, lock_tenant
from supportplans.models import Subscription

logger = logging.getLogger(__name__)
GIVES_BACK = (OrderType.DOWNGRADE, OrderType.UNSUBSCRIBE)


@transaction.atomic
def order_provision_begin(*, order_id: int, at: datetime) -> bool:
    """Move a paid order to provisioning; return False when there is nothing (more) to do."""
    order = lock_orders().get(pk=order_id)
    if order.state == OrderState.PAID:
        order_move(order, to=OrderState.PROVISIONING, actor=SYSTEM, at=at)
    return order.state == OrderState.PROVISIONING


@transaction.atomic
def order_provision_finish(*, order_id: int, at: datetime) -> Order:
    """Do what the order was placed for and complete it, once. What cannot be delivered is refunded to the balance."""
    order, subscriptions = _lock(order_id)
    if order.state != OrderState.PROVISIONING:
        return order
    if order.type == OrderType.TOP_UP:
        top_up_finish(order, at=at)
        return order
    try:
        with transaction.atomic():
            subscription = order_fulfil(order, subscriptions, at=at)
    except NotDeliverable as refused:
        _give_up(order, refused.why, at)
        return order
    order.subscription = subscription
    order.completed_at = at
    order_move(
        order, to=OrderState.COMPLETED, actor=SYSTEM, at=at, also=["subscription", "completed_at"]
    )
    if order.type in GIVES_BACK:
        parts = {method: Decimal(amount) for method, amount in order.refund_to.items()}
        refunds_create(
            order=order, refund_to=parts, to_balance=order.to_balance, actor=SYSTEM, at=at
        )
    publish(
        OrderCompleted(tenant_id=order.tenant_id, order_id=order.pk, number=order.number, at=at)
    )
    _tell(order, subscription, at)
    return order


def _lock(order_id: int) -> tuple[Order, list[Subscription]]:
    """Return the order and the tenant's subscriptions, locked after the tenant."""
    tenant = lock_tenant(Subquery(Order.objects.filter(pk=order_id).values("tenant_id")))
    subscriptions = list(lock_subscriptions().filter(tenant=tenant).select_related("plan"))
    return lock_orders().select_related("plan", "from_plan").get(pk=order_id), subscriptions


def _tell(order: Order, subscription: Subscription, at: datetime) -> None:
    """Tell the owner what the order has done."""
    plan, before = order.plan, order.from_plan
    notify(
        f"billing.order_completed_{order.type}",
        key=order.number,
        audience=["tenant:owner"],
        context={
            "order_number": order.number,
            "plan": plan.name if plan else "",
            "plan_en": plan.name_en if plan else "",
            "before": before.name if before else "",
            "before_en": before.name_en if before else "",
            "starts": f"{local(subscription.starts):%Y-%m-%d %H:%M:%S}",
            "ends": f"{local(subscription.shown_end):%Y-%m-%d %H:%M:%S}",
            "amount": f"{order.amount:,.2f}",
            "refund": f"{order.refund_amount:,.2f}",
        },
        url=order.get_absolute_url(),
        tenant_id=order.tenant_id,
        at=at,
    )


def _give_up(order: Order, why: str, at: datetime) -> None:
    """Whatever loses a race is refunded by itself, to the balance; coupon and vouchers come back (domain.md §4)."""
    funds_return(order=order, actor=SYSTEM, at=at)
    money = order.balance_amount + order.due
    if money > ZERO:
        ledger_post(
            tenant_id=order.tenant_id,
            kind=PostingKind.SURPLUS,
            legs={AccountKind.SALES: -money, AccountKind.BALANCE: money},
            order=order,
            actor=SYSTEM,
            at=at,
        )
    order_move(order, to=OrderState.REFUNDED, actor=SYSTEM, at=at, note=why)
    logger.warning("order %s could not be delivered (%s) and was refunded", order.number, why)
    notify(
        "billing.order_refunded",
        key=order.number,
        audience=["tenant:owner", "staff:finance"],
        context={"order_number": order.number, "amount": f"{money:,.2f}", "why": why},
        url=order.get_absolute_url(),
        tenant_id=order.tenant_id,
        at=at,
    )
