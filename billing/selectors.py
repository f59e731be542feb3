"""Reading orders, payments and balances."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet

from accounts.models import Tenant
from billing.exceptions import PlanNotForSale
from billing.models import LedgerAccount, Order, Payment, PaymentNotification
from billing.proration import Quote, quote_new
from billing.states import (
    LIVE_PAYMENT_STATES,
    OPEN_ORDER_STATES,
    TO_PROVISION_STATES,
    AccountKind,
    NotificationOutcome,
    OrderType,
)
from core.money import ZERO
from supportplans.models import Plan
from supportplans.selectors.catalogue import plans_with_price, price_at
from supportplans.states import PlanCode

PAYMENT_PAGE = 50
SWEEP_BATCH = 100
REFUSED_SHOWN = 20
TENANTS_SHOWN = 1000
# A worker needs a second for an order; after this long its message is taken for lost.
LEFT_BEHIND_AFTER = timedelta(seconds=30)


def plans_for_sale(at: datetime) -> list[Plan]:
    """Return the paid plans by rank, each with ``monthly``, its list price in CNY at ``at``. One query."""
    return [plan for plan in plans_with_price(at) if plan.code != PlanCode.STANDARD]


def quote_new_for(plan_code: str, years: int, at: datetime) -> Quote:
    """Return today's price of a new term. Raises PlanNotForSale, TermNotOffered, PriceMissing. One query."""
    if plan_code not in PlanCode.values or plan_code == PlanCode.STANDARD:
        raise PlanNotForSale(field="plan")
    return quote_new(monthly=price_at(plan_code, at).monthly, years=years, starts=at)


def order_list_for(tenant_id: int, *, state: str = "") -> QuerySet[Order]:
    """Return the tenant's orders, newest first, with their plans."""
    orders = Order.objects.filter(tenant_id=tenant_id).select_related("plan").order_by("-id")
    return orders.filter(state=state) if state else orders


def order_get_for(tenant_id: int, number: str) -> Order:
    """Return one order of the tenant with plan and subscription. Raises Order.DoesNotExist."""
    return Order.objects.select_related("plan", "subscription").get(
        tenant_id=tenant_id, number=number
    )


def order_open_for(tenant_id: int) -> Order | None:
    """Return the order that keeps the account from placing another one, if any."""
    return (
        Order.objects.filter(tenant_id=tenant_id, state__in=OPEN_ORDER_STATES)
        .exclude(type=OrderType.TOP_UP)
        .first()
    )


def orders_to_provision(at: datetime) -> list[int]:
    """Return the ids of paid orders that have not moved for a while, oldest first."""
    stale = Order.objects.filter(
        state__in=TO_PROVISION_STATES, updated_at__lte=at - LEFT_BEHIND_AFTER
    )
    return list(stale.order_by("updated_at").values_list("pk", flat=True)[:SWEEP_BATCH])


def live_payments(order: Order) -> QuerySet[Payment]:
    """Return the attempts of an order that are not over at their provider."""
    return Payment.objects.filter(order=order, state__in=LIVE_PAYMENT_STATES)


def balance_of(tenant_id: int) -> Decimal:
    """Return what the customer can spend, in CNY; what open orders hold is not in it."""
    account = LedgerAccount.objects.filter(tenant_id=tenant_id, kind=AccountKind.BALANCE).first()
    return account.balance if account else ZERO


def payment_list(
    *, state: str = "", provider: str = "", after: int | None = None
) -> Sequence[Payment]:
    """Return one page of all tenants' payments, newest first, by key; one row more says that there is more."""
    payments = Payment.objects.select_related("tenant", "order").order_by("-id")
    if state:
        payments = payments.filter(state=state)
    if provider:
        payments = payments.filter(provider=provider)
    if after is not None:
        payments = payments.filter(pk__lt=after)
    return list(payments[: PAYMENT_PAGE + 1])


def order_payments(order: Order) -> QuerySet[Payment]:
    """Return the attempts of an order, newest first."""
    return Payment.objects.filter(order=order).order_by("-id")


def notifications_refused() -> list[PaymentNotification]:
    """Return the newest notifications that could not be trusted or matched; finance looks into them."""
    bad = [
        NotificationOutcome.UNVERIFIED,
        NotificationOutcome.UNKNOWN,
        NotificationOutcome.MISMATCH,
    ]
    return list(
        PaymentNotification.objects.filter(outcome__in=bad).order_by("-received_at")[:REFUSED_SHOWN]
    )


def refused_since(at: datetime) -> int:
    """Return how many notifications without a valid signature were kept since ``at``."""
    unverified = PaymentNotification.objects.filter(received_at__gt=at, verified=False)
    return unverified.count()


def tenant_choices() -> list[tuple[int, str]]:
    """Return the customer accounts as choices of a form, by name."""
    return list(Tenant.objects.order_by("name").values_list("pk", "name")[:TENANTS_SHOWN])
