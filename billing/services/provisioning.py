"""What the worker does with a paid order: two steps, each safe to run twice; a crash between them loses nothing."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from accounts.access import SYSTEM
from billing.events import OrderCompleted
from billing.locks import lock_orders
from billing.models import Order, Payment
from billing.proration import quote_new
from billing.services.history import order_move
from billing.services.ledger import ledger_post
from billing.states import AccountKind, OrderState, OrderType, PaymentState, PostingKind
from core.clock import local
from core.events import publish
from core.money import ZERO
from messaging.services import notify
from supportplans.exceptions import SubscriptionAlreadyActive
from supportplans.locks import lock_subscriptions, lock_tenant
from supportplans.models import Subscription
from supportplans.services.subscriptions import NewPaidLine, subscription_start
from supportplans.states import Basis, LineKind

logger = logging.getLogger(__name__)


@transaction.atomic
def order_provision_begin(*, order_id: int, at: datetime) -> bool:
    """Move a paid order to provisioning; return False when there is nothing (more) to do."""
    order = lock_orders().get(pk=order_id)
    if order.state == OrderState.PAID:
        order_move(order, to=OrderState.PROVISIONING, actor=SYSTEM, at=at)
    return order.state == OrderState.PROVISIONING


@transaction.atomic
def order_provision_finish(*, order_id: int, at: datetime) -> Order:
    """Start what the order bought and complete it, once. What cannot be delivered is refunded to the balance."""
    order = _lock(order_id)
    if order.state != OrderState.PROVISIONING:
        return order
    try:
        with transaction.atomic():
            subscription = _start(order, at)
    except SubscriptionAlreadyActive:
        _refund(order, at)
        return order
    order.subscription = subscription
    order.completed_at = at
    order_move(
        order, to=OrderState.COMPLETED, actor=SYSTEM, at=at, also=["subscription", "completed_at"]
    )
    publish(
        OrderCompleted(tenant_id=order.tenant_id, order_id=order.pk, number=order.number, at=at)
    )
    notify(
        "billing.order_completed",
        key=order.number,
        audience=["tenant:owner"],
        context={
            "order_number": order.number,
            "plan": subscription.plan.name,
            "plan_en": subscription.plan.name_en,
            "starts": f"{local(subscription.starts):%Y-%m-%d %H:%M:%S}",
            "ends": f"{local(subscription.ends):%Y-%m-%d %H:%M:%S}",
            "amount": f"{order.amount:,.2f}",
        },
        url=order.get_absolute_url(),
        tenant_id=order.tenant_id,
        at=at,
    )
    return order


def _lock(order_id: int) -> Order:
    tenant_id = Order.objects.values_list("tenant_id", flat=True).get(pk=order_id)
    lock_tenant(tenant_id)
    list(lock_subscriptions().filter(tenant_id=tenant_id))
    return lock_orders().select_related("plan").get(pk=order_id)


def _start(order: Order, at: datetime) -> Subscription:
    """Give the plan for the whole term, from now (the service begins when it is delivered, not when it was paid)."""
    if (
        order.type != OrderType.NEW
        or order.plan is None
        or order.years is None
        or order.monthly is None
    ):
        raise ValueError(f"order {order.number} of type {order.type} starts no plan")
    starts = at.replace(microsecond=0)
    quote = quote_new(plan=order.plan.code, monthly=order.monthly, years=order.years, at=starts)
    line = NewPaidLine(
        order_number=order.number,
        kind=LineKind.PURCHASE,
        monthly=order.monthly,
        starts=starts,
        ends=quote.term.ends,
        bought_at=order.paid_at or at,
        paid_days=quote.days,
        list_amount=order.amount,
        coupon_amount=order.coupon_amount,
        voucher_amount=order.voucher_amount,
        cash=_cash(order),
    )
    return subscription_start(
        tenant_id=order.tenant_id,
        plan_code=order.plan.code,
        basis=Basis.PAID,
        starts=starts,
        ends=quote.term.ends,
        lines=[line],
        actor=SYSTEM,
        at=at,
    )


def _cash(order: Order) -> dict[str, str]:
    """Return what was paid per method, as the paid line keeps it. A refund goes back along the same lines."""
    cash = (
        {AccountKind.BALANCE.value: f"{order.balance_amount:.2f}"}
        if order.balance_amount > ZERO
        else {}
    )
    paid = Payment.objects.filter(order=order, state=PaymentState.SUCCEEDED, amount=order.due)
    if order.due > ZERO and (payment := paid.order_by("paid_at").first()):
        cash[payment.provider] = f"{order.due:.2f}"
    return cash


def _refund(order: Order, at: datetime) -> None:
    """The account got another plan meanwhile: whatever loses a race is refunded by itself, to the balance."""
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
    order_move(order, to=OrderState.REFUNDED, actor=SYSTEM, at=at, note="plan_already_active")
    logger.warning("order %s could not be delivered and was refunded", order.number)
    notify(
        "billing.order_refunded",
        key=order.number,
        audience=["tenant:owner", "staff:finance"],
        context={"order_number": order.number, "amount": f"{money:,.2f}"},
        url=order.get_absolute_url(),
        tenant_id=order.tenant_id,
        at=at,
    )
