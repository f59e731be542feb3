"""Reading refunds, and how much of what was paid can still go back."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from billing.models import Invoice, Order, Payment, Refund
from billing.states import AccountKind, InvoiceState, OrderState, PaymentState
from core.money import ZERO


def refunds_of(order: Order) -> list[Refund]:
    """Return the refunds of an order with their history, in the order in which they fell due. Two queries."""
    refunds = Refund.objects.filter(tenant_id=order.tenant_id, order=order).order_by("pk")
    return list(refunds.select_related("payment").prefetch_related("history"))


def payments_that_paid(order: Order) -> QuerySet[Payment]:
    """Return the payments whose money paid the order or another one of its subscription.

    Without those of orders that could not be delivered: their money went back when they were given up.
    """
    paid = Payment.objects.filter(
        _orders_with(order, "order__"), state=PaymentState.SUCCEEDED, is_surplus=False
    )
    return paid.exclude(order__state=OrderState.REFUNDED)


def refunded_by_payment(payment_ids: Sequence[int]) -> dict[int, Decimal]:
    """Return what of each payment has gone back or is on its way, in CNY. One query."""
    rows = Refund.objects.filter(payment_id__in=payment_ids).values_list("payment_id")
    return {payment_id: total for payment_id, total in rows.annotate(Sum("amount")) if payment_id}


def balance_refundable(order: Order) -> Decimal:
    """Return what the balance paid for the order's subscription and was not refunded yet, in CNY. Two queries."""
    paid = Order.objects.filter(_orders_with(order), paid_at__isnull=False)
    paid = paid.exclude(state=OrderState.REFUNDED)
    refunded = Refund.objects.filter(_orders_with(order, "order__"), method=AccountKind.BALANCE)
    refunded = refunded.exclude(order__state=OrderState.REFUNDED)
    return _sum(paid, "balance_amount") - _sum(refunded, "amount")


def refunded_of(order: Order) -> Decimal:
    """Return what of the order's own cash has gone back or is on its way, in CNY. At most three queries.

    Money of a provider names its payment. The balance's names none: like a provider's it is taken from the orders of
    the subscription that were paid last. An order that was not delivered got its own money back.
    """
    by_payment = Refund.objects.filter(
        tenant_id=order.tenant_id, payment__order=order, payment__is_surplus=False
    )
    if not order.balance_amount:
        return _sum(by_payment, "amount")
    by_balance = Refund.objects.filter(_orders_with(order, "order__"), method=AccountKind.BALANCE)
    back = _sum(by_balance.exclude(order__state=OrderState.REFUNDED), "amount")
    later = Order.objects.filter(_orders_with(order), paid_at__gt=order.paid_at)
    newer = _sum(later.exclude(state=OrderState.REFUNDED), "balance_amount")
    return _sum(by_payment, "amount") + min(max(ZERO, back - newer), order.balance_amount)


def awaits_reversal(refund: Refund) -> bool:
    """Return True while an invoice over the money of this refund is issued. One query.

    A second success of an order was never invoiced: the invoice is over the first.
    """
    if refund.payment is not None and refund.payment.is_surplus:
        return False
    concerned = (
        Q(order_id=refund.payment.order_id)
        if refund.payment is not None
        else _orders_with(refund.order, "order__") & Q(order__balance_amount__gt=0)
    )
    return Invoice.objects.filter(
        concerned, tenant_id=refund.tenant_id, state=InvoiceState.ISSUED
    ).exists()


def owed_together(refund: Refund) -> Decimal:
    """Return the sum of the refunds that fell due for the same order at the same instant, in CNY."""
    return _sum(
        Refund.objects.filter(order_id=refund.order_id, created_at=refund.created_at), "amount"
    )


def _orders_with(order: Order, prefix: str = "") -> Q:
    """Match the order and the others of its subscription."""
    those = Q(**{f"{prefix}id": order.pk})
    if order.subscription_id is not None:
        those |= Q(**{f"{prefix}subscription_id": order.subscription_id})
    return those & Q(tenant_id=order.tenant_id)


def _sum(rows: QuerySet[Order] | QuerySet[Refund], field: str) -> Decimal:
    total: Decimal | None = rows.aggregate(total=Sum(field))["total"]
    return total or ZERO
