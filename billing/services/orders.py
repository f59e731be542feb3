"""Choosing what pays orders, paying and ending them (domain.md §4).

Lock order: as in ``billing.locks``. Losing a race is a normal outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.access import SYSTEM, Actor
from accounts.services.sweeps import sweep
from billing import exceptions as errors
from billing.locks import lock_orders, lock_payments
from billing.models import Order, Payment
from billing.selectors.payments import live_payments
from billing.services.history import order_move, order_touch
from billing.services.holds import (
    funds_are,
    funds_capture,
    funds_choose,
    funds_hold,
    funds_release,
)
from billing.states import LIVE_PAYMENT_STATES, OrderState, PaymentState
from core.jobs import enqueue
from messaging.services import notify
from supportplans.locks import lock_tenant_of

SWEEP_BATCH = 100


@transaction.atomic
def order_set_funds(
    *,
    order_id: int,
    coupon_grant_id: int | None,
    voucher_ids: Sequence[int],
    use_balance: bool,
    actor: Actor,
    at: datetime,
) -> Order:
    """Choose everything that pays the order: the coupon lowers it, then the vouchers pay (the one that ends first goes
    first), then the balance, each as much as is needed; the rest goes to the cashier.

    What is chosen is held at once; another choice releases and holds anew, and closes an attempt over another sum at
    its provider. When nothing is left to pay the order is paid at once. Raises OrderNotPayable, CouponNotApplicable,
    VoucherNotUsable, TopUpByCashierOnly.
    """
    order = _lock_order(order_id)
    if not order.is_payable or order.pays_until <= at:
        raise errors.OrderNotPayable
    attempts = _lock_attempts(order)
    choice = funds_choose(
        order=order,
        coupon_grant_id=coupon_grant_id,
        voucher_ids=voucher_ids,
        use_balance=use_balance,
        at=at,
    )
    if not funds_are(order, choice):
        _close_attempts(attempts, at)
        funds_release(order=order, actor=actor, at=at)
        funds_hold(order=order, choice=choice, actor=actor, at=at)
        order_touch(order, at=at, also=["coupon_amount", "voucher_amount", "balance_amount"])
    if order.is_free and not attempts:
        order_mark_paid(order, actor=actor, at=at)
    return order


def order_mark_paid(order: Order, *, actor: Actor, at: datetime) -> None:
    """Take what the order holds, move it to paid and hand it to the worker. The caller has the lock and the money.

    A payment that arrives while the order is being cancelled wins.
    """
    attempts = _lock_attempts(order)
    funds_capture(order=order, actor=actor, at=at)
    order.paid_at = at
    order.closing_to = ""
    order_move(order, to=OrderState.PAID, actor=actor, at=at, also=["paid_at", "closing_to"])
    _close_attempts(attempts, at)
    enqueue("billing.order_provision", order_id=order.pk)


@transaction.atomic
def order_cancel(*, order_id: int, actor: Actor, at: datetime) -> Order:
    """Cancel an unpaid order. With an attempt under way it ends once the provider has closed that (a payment that
    arrives first wins). Raises OrderNotCancellable."""
    order = _lock_order(order_id)
    if order.state != OrderState.PENDING:
        raise errors.OrderNotCancellable
    _end(order, to=OrderState.CANCELLED, actor=actor, at=at)
    return order


def orders_expire_due(*, at: datetime) -> int:
    """End unpaid orders whose window is over, in a batch; return how many. Safe to run twice."""
    due = Order.objects.filter(state=OrderState.PENDING, closing_to="", pays_until__lte=at)
    rows = due.order_by("pays_until").values_list("pk", "number")
    return sweep(
        "billing.orders_expire_due",
        lambda waiting: rows.exclude(pk__in=waiting)[:SWEEP_BATCH],
        lambda order_id: order_expire(order_id=order_id, at=at),
        at=at,
    )


@transaction.atomic
def order_expire(*, order_id: int, at: datetime) -> bool:
    """End an unpaid order whose window is over; False where it was paid or ended meanwhile."""
    order = _lock_order(order_id)
    if not order.is_payable or order.pays_until > at:
        return False
    _end(order, to=OrderState.EXPIRED, actor=SYSTEM, at=at)
    return True


def order_finish_closing(order: Order, *, actor: Actor, at: datetime) -> None:
    """Move an order that is being closed to its end once no attempt is under way. The caller holds the lock."""
    if order.state != OrderState.PENDING or not order.closing_to or live_payments(order).exists():
        return
    to, order.closing_to = OrderState(order.closing_to), ""
    funds_release(order=order, actor=actor, at=at)
    order_move(order, to=to, actor=actor, at=at, also=["closing_to"])
    if to == OrderState.EXPIRED:
        notify(
            "billing.order_expired",
            key=order.number,
            audience=["tenant:owner"],
            context={"order_number": order.number},
            url=order.get_absolute_url(),
            tenant_id=order.tenant_id,
            at=at,
        )


def _lock_order(order_id: int) -> Order:
    """Return the order, locked after its tenant. Raises Order.DoesNotExist."""
    lock_tenant_of(Order, id=order_id)
    return lock_orders().select_related("plan").get(pk=order_id)


def _end(order: Order, *, to: OrderState, actor: Actor, at: datetime) -> None:
    """Close the attempts at their providers first; without any the order ends now."""
    order.closing_to = to
    attempts = _lock_attempts(order)
    _close_attempts(attempts, at)
    if attempts:
        order_touch(order, at=at, also=["closing_to"])
    else:
        order_finish_closing(order, actor=actor, at=at)


def _lock_attempts(order: Order) -> list[Payment]:
    """Return what is under way at a provider, locked before the funds are."""
    return list(lock_payments().filter(order=order, state__in=LIVE_PAYMENT_STATES))


def _close_attempts(attempts: Sequence[Payment], at: datetime) -> None:
    """Ask the worker to close what is under way at a provider."""
    for payment in attempts:
        payment.state = PaymentState.CLOSING
        payment.next_poll_at = at
        payment.save(update_fields=["state", "next_poll_at"])
        enqueue("billing.payment_follow", payment_id=payment.pk)
