"""What becomes of money that has arrived: it pays its order, goes back, or to the balance (domain.md §4)."""

from __future__ import annotations

import logging
from datetime import datetime

from accounts.access import SYSTEM, Actor
from billing.models import Order, Payment
from billing.selectors.orders import order_open_for
from billing.services.history import order_touch
from billing.services.holds import funds_hold_again
from billing.services.ledger import ledger_post
from billing.services.orders import order_finish_closing, order_mark_paid
from billing.services.refunds import refund_second_payment
from billing.states import (
    LIVE_PAYMENT_STATES,
    AccountKind,
    OrderState,
    OrderType,
    PaymentState,
    PostingKind,
)
from messaging.services import notify
from supportplans.selectors.subscriptions import subscription_current
from supportplans.states import Basis

logger = logging.getLogger(__name__)


def payment_receive(
    payment: Payment, order: Order, *, actor: Actor, at: datetime, is_exact: bool = True
) -> None:
    """The money is here (``trade_no`` and ``paid_at`` are set): it pays the order, or goes back, or to the balance.

    A second success of a paid order goes back to its method; money for a dead order, or another sum than was asked for
    (``is_exact``), to the balance. The caller holds the locks of tenant, order and payment.
    """
    pays = is_exact and _pays(payment, order, at)
    payment.state, payment.is_surplus = PaymentState.SUCCEEDED, not pays
    payment.next_poll_at, payment.error = None, ""
    payment.save(
        update_fields=[
            *("state", "is_surplus", "amount", "trade_no", "paid_at", "next_poll_at", "error")
        ]
    )
    if pays:
        _post(PostingKind.CASHIER, payment, order, AccountKind.SALES, actor=actor, at=at)
        order_mark_paid(order, actor=actor, at=at)
        return
    if is_exact and order.paid_at is not None:
        refund_second_payment(payment=payment, order=order, actor=actor, at=at)
    else:
        _credit(payment, order, actor=actor, at=at)
    order_touch(order, at=at, also=[])
    attempt_ended(order, at=at)


def _pays(payment: Payment, order: Order, at: datetime) -> bool:
    """Return True if this money can still fulfil the order: paid in time by the provider's clock, and the exact sum."""
    in_time = payment.paid_at is not None and payment.paid_at <= order.pays_until
    if order.state == OrderState.PENDING:
        return in_time and payment.amount == order.due
    if order.state != OrderState.EXPIRED or not in_time or payment.amount != order.due:
        return False
    if _is_overtaken(order, at):
        return False
    return funds_hold_again(order=order, actor=SYSTEM, at=at)


def _is_overtaken(order: Order, at: datetime) -> bool:
    """Return True if another open order, or a plan where the order buys the first one, has come in its way meanwhile.

    Whether a change or a renewal still fits its plan is asked when it is delivered.
    """
    if order.type == OrderType.TOP_UP:
        return False
    if order_open_for(order.tenant_id) is not None:
        return True
    running = subscription_current(order.tenant_id)
    has_plan = running is not None and running.basis == Basis.PAID and running.ends > at
    return order.type == OrderType.NEW and has_plan


def _credit(payment: Payment, order: Order, *, actor: Actor, at: datetime) -> None:
    """Money that can no longer fulfil its order goes to the balance; the customer and finance are told."""
    _post(PostingKind.SURPLUS, payment, order, AccountKind.BALANCE, actor=actor, at=at)
    logger.warning("payment %s cannot pay order %s: credited", payment.number, order.number)
    notify(
        "billing.balance_credited",
        key=payment.number,
        audience=["tenant:owner", "staff:finance"],
        context={"amount": f"{payment.amount:,.2f}", "order_number": order.number},
        url=order.get_absolute_url(),
        tenant_id=order.tenant_id,
        at=at,
    )


def _post(
    kind: PostingKind,
    payment: Payment,
    order: Order,
    goes_to: AccountKind,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    ledger_post(
        tenant_id=order.tenant_id,
        kind=kind,
        legs={AccountKind(payment.provider): -payment.amount, goes_to: payment.amount},
        order=order,
        actor=actor,
        at=at,
        note=payment.number,
    )


def attempt_ended(order: Order, *, at: datetime) -> None:
    """An attempt has ended: a closing order may be able to end, one paid from the balance alone to go on."""
    order_finish_closing(order, actor=SYSTEM, at=at)
    if (
        order.is_payable
        and order.is_free
        and not order.payments.filter(state__in=LIVE_PAYMENT_STATES).exists()
    ):
        order_mark_paid(order, actor=SYSTEM, at=at)
