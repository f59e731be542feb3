"""What the worker does with a paid order: all of it in one transaction, safe to run twice (docs/adr/0007)."""

from __future__ import annotations

import logging
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.access import SYSTEM
from accounts.services.sweeps import sweep
from billing.events import OrderCompleted
from billing.exceptions import NotDeliverable
from billing.locks import lock_order_paid, lock_orders
from billing.models import Order
from billing.selectors.orders import orders_to_provision
from billing.services.fulfilment import order_fulfil
from billing.services.history import order_move
from billing.services.refunds import refunds_create, refunds_of_undelivered
from billing.services.top_ups import top_up_finish
from billing.services.vouchers import funds_return
from billing.states import (
    TO_PROVISION_STATES,
    OrderState,
    OrderType,
)
from core.clock import local
from core.events import publish
from messaging.services import notify
from supportplans.locks import lock_subscriptions_of, lock_tenant_of
from supportplans.models import Subscription
from supportplans.selectors.catalogue import plans_by_id

logger = logging.getLogger(__name__)
SWEEP_BATCH = 100
GIVES_BACK = (OrderType.DOWNGRADE, OrderType.UNSUBSCRIBE)


@transaction.atomic(savepoint=False)
def order_provision(*, order_id: int, at: datetime) -> Order:
    """Do what a paid order was placed for, once, and complete it. What cannot be delivered is paid back.

    One transaction: a worker that dies leaves the order paid, as it was.
    """
    order, subscriptions = _lock(order_id)
    if order.state not in TO_PROVISION_STATES:
        return order
    if order.type == OrderType.TOP_UP:
        top_up_finish(order, at=at)
        return order
    try:
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


def orders_provision_due(*, at: datetime) -> int:
    """Fulfil a batch of paid orders that nobody has fulfilled; return how many. Safe to run twice and side by side.

    What cannot be fulfilled is 开通中 from its first failure on, and tried again ever more rarely.
    """
    return sweep(
        "billing.orders_provision_due",
        lambda waiting: orders_to_provision(at).exclude(pk__in=waiting)[:SWEEP_BATCH],
        lambda order_id: order_provision(order_id=order_id, at=at),
        failed=lambda order_id: order_provision_stopped(order_id=order_id, at=at),
        at=at,
    )


@transaction.atomic
def order_provision_stopped(*, order_id: int, at: datetime) -> None:
    """Show a paid order that could not be fulfilled as 开通中: a worker has it in hand, until one can."""
    order = lock_orders().get(pk=order_id)
    if order.state == OrderState.PAID:
        order_move(order, to=OrderState.PROVISIONING, actor=SYSTEM, at=at)


def _lock(order_id: int) -> tuple[Order, list[Subscription]]:
    """Return the order and the tenant's subscriptions with their plans, locked after the tenant."""
    subscriptions = lock_subscriptions_of(lock_tenant_of(Order, id=order_id))
    order = lock_order_paid(order_id)
    plans = plans_by_id()
    order.plan, order.from_plan = plans.get(order.plan_id), plans.get(order.from_plan_id)
    for subscription in subscriptions:
        subscription.plan = plans[subscription.plan_id]
    return order, subscriptions


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
    money = refunds_of_undelivered(order=order, actor=SYSTEM, at=at)
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
