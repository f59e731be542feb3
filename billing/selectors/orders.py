"""Reading orders and what can be ordered."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from billing.exceptions import PlanNotForSale
from billing.models import Order
from billing.proration import quote_new
from billing.quotes import Quote
from billing.states import OPEN_ORDER_STATES, TO_PROVISION_STATES, OrderType
from core.clock import day_start
from supportplans.models import Plan
from supportplans.selectors.catalogue import plans_with_price
from supportplans.selectors.sales import sale_terms
from supportplans.states import PlanCode

# A worker needs a second for an order; after this long its message is taken for lost.
LEFT_BEHIND_AFTER = timedelta(seconds=30)
# One open order per account, beside top-ups of the balance.
KEEPS_OTHERS_OUT = Q(state__in=OPEN_ORDER_STATES) & ~Q(type=OrderType.TOP_UP)


def plans_for_sale(at: datetime) -> list[Plan]:
    """Return the paid plans by rank, each with ``monthly``, its list price in CNY at ``at``. One query."""
    return [plan for plan in plans_with_price(at) if plan.code != PlanCode.STANDARD]


def quote_new_for(plan_code: str, years: int, at: datetime) -> Quote:
    """Return today's price of a new term. Raises PlanNotForSale, TermNotOffered, PriceMissing. One query."""
    if plan_code not in PlanCode.values or plan_code == PlanCode.STANDARD:
        raise PlanNotForSale(field="plan")
    terms = sale_terms(plan_code, at)
    return quote_new(
        plan=plan_code, monthly=terms.monthly, years=years, at=at, longest=terms.longest
    )


def order_list_for(
    tenant_id: int,
    *,
    state: str | None = None,
    type: str | None = None,
    since: date | None = None,
    until: date | None = None,
    number: str | None = None,
) -> QuerySet[Order]:
    """Return the tenant's orders, newest first, with their plans.

    ``since`` and ``until`` are days of Shanghai, both included; ``number`` is a part of the order number.
    """
    orders = Order.objects.filter(tenant_id=tenant_id).select_related("plan").order_by("-id")
    exact = {"state": state, "type": type}
    orders = orders.filter(**{name: value for name, value in exact.items() if value})
    if since:
        orders = orders.filter(created_at__gte=day_start(since))
    if until:
        orders = orders.filter(created_at__lt=day_start(until) + timedelta(days=1))
    return orders.filter(number__contains=number) if number else orders


def order_get_for(tenant_id: int, number: str) -> Order:
    """Return one order of the tenant with plan and subscription. Raises Order.DoesNotExist."""
    return Order.objects.select_related("plan", "subscription").get(
        tenant_id=tenant_id, number=number
    )


def order_open_for(tenant_id: int) -> Order | None:
    """Return the order that keeps the account from placing another one, if any."""
    return Order.objects.filter(KEEPS_OTHERS_OUT, tenant_id=tenant_id).first()


# SQL, because making the same query from the models takes longer than the database does to answer it.
_IN_THE_WAY = """
SELECT id, number, idempotency_key FROM billing_order
 WHERE tenant_id = %(tenant)s
   AND (state = ANY(%(open)s) AND type <> %(top_up)s OR idempotency_key = %(key)s)
"""


class OrderInTheWay(NamedTuple):
    """What whoever places an order must know of one that stands already."""

    order_id: int
    number: str
    idempotency_key: str


def orders_in_the_way(tenant_id: int, idempotency_key: str) -> list[OrderInTheWay]:
    """Return what a new order of this key meets: the one with the same key, the one that is open. One query."""
    asked: dict[str, Any] = {
        "tenant": tenant_id,
        "key": idempotency_key,
        "open": [state.value for state in OPEN_ORDER_STATES],
        "top_up": OrderType.TOP_UP.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_IN_THE_WAY, asked)
        return [OrderInTheWay(*row) for row in cursor.fetchall()]


def orders_to_provision(at: datetime) -> QuerySet[Order, tuple[int, str]]:
    """Return the ids and numbers of paid orders that have not moved for a while, oldest first."""
    stale = Order.objects.filter(
        state__in=TO_PROVISION_STATES, updated_at__lte=at - LEFT_BEHIND_AFTER
    )
    return stale.order_by("updated_at").values_list("pk", "number")
