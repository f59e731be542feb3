"""Reading invoices and what can be invoiced."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import Exists, OuterRef, QuerySet

from billing.models import Invoice, Order
from billing.selectors.refunds import refunded_of
from billing.states import LIVE_INVOICE_STATES, OrderState, OrderType
from core.money import ZERO

# A top-up's money is invoiced with the orders that it pays; a downgrade or leaving costs nothing.
INVOICED_TYPES = (OrderType.NEW, OrderType.UPGRADE, OrderType.RENEW)


def invoiceable_amount(order: Order) -> Decimal:
    """Return what was paid in cash (balance and cashier) less what was refunded of it, in CNY. At most 3 queries."""
    return max(ZERO, order.balance_amount + order.due - refunded_of(order))


def is_invoiceable(order: Order) -> bool:
    """Return True for a completed order of a plan; whether anything is left to invoice is ``invoiceable_amount``."""
    return order.state == OrderState.COMPLETED and order.type in INVOICED_TYPES


def invoice_list_for(tenant_id: int) -> QuerySet[Invoice]:
    """Return the tenant's invoices with their orders, newest first."""
    return Invoice.objects.filter(tenant_id=tenant_id).select_related("order").order_by("-id")


def invoice_get_for(tenant_id: int, invoice_id: int) -> Invoice:
    """Return one invoice of the tenant with its order. Raises Invoice.DoesNotExist."""
    return invoice_list_for(tenant_id).get(pk=invoice_id)


def orders_to_invoice(tenant_id: int) -> QuerySet[Order]:
    """Return completed orders of plans that cost something and have no invoice under way, newest first.

    What a free return gave back whole is not among them.
    """
    returned = Order.objects.filter(
        tenant_id=tenant_id,
        subscription=OuterRef("subscription"),
        type=OrderType.UNSUBSCRIBE,
        state=OrderState.COMPLETED,
        is_free_return=True,
    )
    live = Invoice.objects.filter(order=OuterRef("pk"), state__in=LIVE_INVOICE_STATES)
    orders = Order.objects.filter(
        ~Exists(live),
        ~Exists(returned),
        tenant_id=tenant_id,
        state=OrderState.COMPLETED,
        type__in=INVOICED_TYPES,
        amount__gt=0,
    )
    return orders.select_related("plan").order_by("-id")
