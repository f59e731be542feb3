"""Orders, payments and postings for tests. What has a service is made by it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.access import SYSTEM, Actor
from accounts.models import Tenant, User
from billing.models import (
    Coupon,
    CouponGrant,
    LedgerAccount,
    LedgerTransaction,
    Order,
    Payment,
    Refund,
    Voucher,
)
from billing.services import provisioning
from billing.services.ledger import ledger_post
from billing.services.orders import order_set_funds
from billing.services.payments import payment_begin
from billing.services.placing import order_create
from billing.services.refunds import refunds_create
from billing.services.vouchers import coupon_create, coupon_grant, voucher_grant
from billing.states import AccountKind, CouponKind, OrderState, OrderType, PostingKind
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


def use_balance(order: Order, owner: User, *, at: datetime | None = None) -> Order:
    """Let the balance pay as much of the order as it can, as its owner does."""
    return set_funds(order, owner, use_balance=True, at=at)


def set_funds(order: Order, owner: User, *, at: datetime | None = None, **chosen: Any) -> Order:
    """Choose what pays the order as its owner does: ``coupon_grant_id``, ``voucher_ids``, ``use_balance``."""
    choice = {"coupon_grant_id": None, "voucher_ids": [], "use_balance": False, **chosen}
    return order_set_funds(order_id=order.pk, actor=actor_of(owner), at=at or clock.now(), **choice)


def make_coupon(at: datetime | None = None, **changed: Any) -> Coupon:
    """Lay down a coupon of 500.00 off for a month, as staff does."""
    at = at or clock.now()
    with scope.staff():
        return coupon_create(
            **{
                "code": f"C{uuid.uuid4().hex[:10]}",
                "name": "上云优惠",
                "kind": CouponKind.FIXED,
                "value": Decimal("500.00"),
                "valid_from": at - timedelta(days=1),
                "valid_until": at + timedelta(days=30),
                "actor": SYSTEM,
                "at": at,
                **changed,
            }
        )


def give_coupon(tenant: Tenant, coupon: Coupon | None = None, **changed: Any) -> CouponGrant:
    """Grant a coupon (or one with changed terms) to a customer, as staff does."""
    coupon = coupon or make_coupon(**changed)
    with scope.staff():
        return coupon_grant(
            coupon_id=coupon.pk,
            tenant_id=tenant.pk,
            key=uuid.uuid4().hex,
            actor=SYSTEM,
            at=clock.now(),
        )


def give_voucher(tenant: Tenant, amount: str = "1000.00", **changed: Any) -> Voucher:
    """Grant a voucher for a month to a customer, as staff does."""
    at = clock.now()
    with scope.staff():
        return voucher_grant(
            **{
                "tenant_id": tenant.pk,
                "name": "服务补偿",
                "amount": Decimal(amount),
                "valid_from": at - timedelta(days=1),
                "valid_until": at + timedelta(days=30),
                "key": uuid.uuid4().hex,
                "actor": SYSTEM,
                "at": at,
                **changed,
            }
        )


def fulfil(order: Order) -> Order:
    """Do what the workers do with a paid order."""
    with scope.staff():
        return provisioning.order_provision(order_id=order.pk, at=clock.now())


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
