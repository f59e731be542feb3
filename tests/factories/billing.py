"""Orders, payments and postings for tests. What has a service is made by it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.access import SYSTEM, Actor
from accounts.models import Tenant, User
from billing.models import LedgerAccount, LedgerTransaction, Order, Payment, Refund
from billing.services.ledger import ledger_post
from billing.services.payments import payment_begin
from billing.services.placing import order_create
from billing.services.refunds import refunds_create
from billing.states import AccountKind, OrderState, OrderType, PostingKind
from billing.tasks import order_provision, payment_follow
from core import clock
from core.tenancy import scope
from supportplans.selectors.catalogue import agreement_at


def actor_of(user: User) -> Actor:
    """Return the person as services know them."""
    return Actor(user=user, name=user.name, title="所有者", address="192.0.2.7")


def sql(statement: str, *parameters: object) -> None:
    """Run a statement past all services."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def order_for(tenant: Tenant, owner: User, **changed: Any) -> Order:
    """Order 轻量级 for one year as the tenant's owner, in the tenant's own scope."""
    at = changed.pop("at", None) or clock.now()
    with scope.customer(tenant.pk):
        return order_create(
            **{
                "tenant_id": tenant.pk,
                "plan_code": "lite",
                "years": 1,
                "agreement_version": agreement_at(at).version,
                "shown_amount": None,
                "idempotency_key": str(uuid.uuid4()),
                "actor": actor_of(owner),
                "at": at,
                **changed,
            }
        )


def top_up_order(tenant: Tenant, amount: Decimal) -> Order:
    """Write a second open order of the same account: only top-ups may stand beside another one."""
    at = clock.now()
    return Order.objects.create(
        tenant=tenant,
        number=f"{uuid.uuid4().int % 10**20}",
        type=OrderType.TOP_UP,
        amount=amount,
        pays_until=at + timedelta(days=9),
        idempotency_key=str(uuid.uuid4()),
        created_at=at,
        updated_at=at,
    )


def give_balance(tenant: Tenant, amount: str) -> LedgerTransaction:
    """Put money on the tenant's balance, as finance does. The caller is in staff's scope."""
    money = Decimal(amount)
    return ledger_post(
        tenant_id=tenant.pk,
        kind=PostingKind.TOP_UP,
        legs={AccountKind.TRANSFER: -money, AccountKind.BALANCE: money},
        order=top_up_order(tenant, money),
        actor=SYSTEM,
        at=clock.now(),
    )


def pay_at(gateway: Any, order: Order, owner: User, *, deliver: bool = True) -> Payment:
    """Pay an order at the local gateway, believe its signed reply, and deliver what was bought."""
    with scope.customer(order.tenant_id):
        begun = payment_begin(
            order_id=order.pk, provider_code="local", actor=actor_of(owner), at=clock.now()
        )
    gateway.pay(begun.address)
    payment_follow(begun.payment.pk)
    if deliver:
        order_provision(order.pk)
    with scope.staff():
        return Payment.objects.select_related("order").get(pk=begun.payment.pk)


def later_order(bought: Order, **changed: Any) -> Order:
    """Write another order of the same subscription: a renewal that waits for its payment, if nothing else is said.

    The caller is in staff's scope.
    """
    at = clock.now()
    values: dict[str, Any] = {
        "tenant_id": bought.tenant_id,
        "number": f"{uuid.uuid4().int % 10**20:020d}",
        "type": OrderType.RENEW,
        "plan": bought.plan,
        "years": 1,
        "monthly": bought.monthly,
        "amount": bought.amount,
        "subscription_id": bought.subscription_id,
        "pays_until": at + timedelta(hours=24),
        "idempotency_key": str(uuid.uuid4()),
        "created_at": at,
        "updated_at": at,
        **changed,
    }
    return Order.objects.create(**values)


def leaving_order(bought: Order, **changed: Any) -> Order:
    """Write the completed unsubscription that ends what ``bought`` began. The caller is in staff's scope."""
    at = clock.now()
    return later_order(
        bought,
        **{
            "type": OrderType.UNSUBSCRIBE,
            "state": OrderState.COMPLETED,
            "amount": Decimal("0.00"),
            "years": None,
            "actor_id": bought.actor_id,
            "paid_at": at,
            "completed_at": at,
            **changed,
        },
    )


def refunds_for(bought: Order, to_balance: bool = False, **amounts: str) -> list[Refund]:
    """Leave what ``bought`` began; return the refunds of these amounts by method."""
    with scope.staff():
        bought.refresh_from_db()
        return refunds_create(
            order=leaving_order(bought),
            refund_to={method: Decimal(amount) for method, amount in amounts.items()},
            to_balance=to_balance,
            actor=SYSTEM,
            at=clock.now(),
        )


def book(tenant: Tenant) -> dict[str, Decimal]:
    """Return the balances of the tenant's accounts that are not 0.00."""
    with scope.staff():
        rows = LedgerAccount.objects.filter(tenant=tenant).exclude(balance=0)
        return {row.kind: row.balance for row in rows}
