"""Orders, payments and postings for tests. What has a service is made by it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.access import SYSTEM, Actor
from accounts.models import Tenant, User
from billing.models import Coupon, CouponGrant, LedgerTransaction, Order, Voucher
from billing.services.ledger import ledger_post
from billing.services.orders import order_set_funds
from billing.services.placing import order_create
from billing.services.provisioning import order_provision_begin, order_provision_finish
from billing.services.vouchers import coupon_create, coupon_grant, voucher_grant
from billing.states import AccountKind, CouponKind, OrderType, PostingKind
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
        order_provision_begin(order_id=order.pk, at=clock.now())
        return order_provision_finish(order_id=order.pk, at=clock.now())


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
