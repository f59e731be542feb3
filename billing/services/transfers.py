"""Bank transfer 对公转账: the customer names the order at the bank, finance confirms what arrived (domain.md §4)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from accounts.access import Actor
from accounts.services.audit import audit_record
from billing import exceptions as errors
from billing.locks import lock_orders, lock_payments
from billing.models import Order, Payment
from billing.services.history import order_touch
from billing.services.ledger import bank_serial_take
from billing.services.payments import attempt_open
from billing.services.receipts import attempt_ended, payment_receive
from billing.states import AccountKind, OrderType, PaymentState
from core.money import CENT, ZERO
from supportplans.locks import lock_tenant
from supportplans.selectors.figures import days_of, figure_at
from supportplans.states import FigureCode

# The amount of an upgrade follows the days that remain: its window is not longer than those stay the same.
LONGER_FOR = (OrderType.NEW, OrderType.RENEW)


@transaction.atomic
def transfer_begin(*, order_id: int, actor: Actor, at: datetime) -> Payment:
    """Choose to pay by bank transfer; banks take days, so new and renewal orders stay payable for longer.

    The window is counted from when the order was made: choosing again does not make it longer. Raises OrderNotPayable,
    ProviderUnavailable.
    """
    if not settings.PAYMENT_TRANSFER:
        raise errors.ProviderUnavailable
    order = lock_orders().select_related("plan").get(pk=order_id)
    if not order.is_payable or order.is_free or order.pays_until <= at:
        raise errors.OrderNotPayable
    if order.type in LONGER_FOR:
        days = days_of(figure_at(FigureCode.TRANSFER_DAYS, order.created_at))
        order.pays_until = max(order.pays_until, order.created_at + days)
        order_touch(order, at=at, also=["pays_until"])
    return attempt_open(order=order, provider_code=AccountKind.TRANSFER, next_poll_at=None, at=at)


@transaction.atomic
def transfer_confirm(
    *,
    payment_id: int,
    amount: Decimal,
    bank_serial: str,
    received_at: datetime,
    actor: Actor,
    at: datetime,
) -> Payment:
    """Book what the bank has received for an order's transfer: ``amount`` in CNY, ``received_at`` by the bank's clock.

    The exact sum in time pays the order; another sum, or one that came too late, goes to the balance and both sides are
    told; the exact sum for an order that was paid meanwhile goes back. Runs in staff's scope. Raises AmountInvalid,
    ReferenceMissing, TransferFromFuture, TransferNotAwaited, TopUpRepeated (the same serial, whoever's).
    """
    if not amount.is_finite() or amount <= ZERO or amount != amount.quantize(CENT):
        raise errors.AmountInvalid(field="amount")
    serial = bank_serial.strip()
    if not serial:
        raise errors.ReferenceMissing(field="bank_serial")
    if received_at > at:
        raise errors.TransferFromFuture(field="received_at")
    payment, order = _lock(payment_id)
    if payment.provider != AccountKind.TRANSFER or payment.state == PaymentState.SUCCEEDED:
        raise errors.TransferNotAwaited
    bank_serial_take(serial, field="bank_serial")
    is_exact = amount == payment.amount
    payment.amount, payment.trade_no, payment.paid_at = amount, serial, received_at
    payment_receive(payment, order, actor=actor, at=at, is_exact=is_exact)
    audit_record(
        action="billing.transfer_confirm",
        subject=serial,
        actor=actor,
        at=at,
        tenant_id=payment.tenant_id,
        details={"amount": f"{amount:.2f}", "payment": payment.number},
    )
    return payment


@transaction.atomic
def transfer_close(*, payment_id: int, at: datetime) -> None:
    """End an attempt by transfer that is to be closed: there is nobody to close it at. Safe to run twice."""
    payment, order = _lock(payment_id)
    if payment.state != PaymentState.CLOSING:
        return
    payment.state, payment.next_poll_at = PaymentState.CLOSED, None
    payment.save(update_fields=["state", "next_poll_at"])
    order_touch(order, at=at, also=[])
    attempt_ended(order, at=at)


def _lock(payment_id: int) -> tuple[Payment, Order]:
    """Return the payment and its order, locked after their tenant. Raises Payment.DoesNotExist."""
    tenant_id, order_id = Payment.objects.values_list("tenant_id", "order_id").get(pk=payment_id)
    lock_tenant(tenant_id)
    order = lock_orders().select_related("plan").get(pk=order_id)
    return lock_payments().get(pk=payment_id), order
