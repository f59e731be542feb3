"""Orders, payments and postings for tests. What has a service is made by it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import models

from accounts.access import SYSTEM, Actor
from accounts.models import Tenant, User
from billing.models import BalanceHold, LedgerLeg, LedgerTransaction, Order, Payment
from billing.services.ledger import balance_hold, ledger_post
from billing.services.orders import order_create
from billing.states import AccountKind, OrderState, OrderType, PostingKind
from core import clock
from core.tenancy import scope
from supportplans.selectors.catalogue import agreement_at


def actor_of(user: User) -> Actor:
    """Return the person as services know them."""
    return Actor(user=user, name=user.name, title="所有者", address="192.0.2.7")


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


def _sample_order(tenant: Tenant) -> Order:
    order = top_up_order(tenant, Decimal("10.00"))
    Order.objects.filter(pk=order.pk).update(state=OrderState.CANCELLED)
    return order


def _sample_posting(tenant: Tenant) -> LedgerTransaction:
    return give_balance(tenant, "10.00")


def _sample_leg(tenant: Tenant) -> LedgerLeg:
    leg = give_balance(tenant, "10.00").legs.first()
    assert leg is not None
    return leg


def _sample_hold(tenant: Tenant) -> BalanceHold:
    give_balance(tenant, "10.00")
    return balance_hold(
        order=_sample_order(tenant), amount=Decimal("5.00"), actor=SYSTEM, at=clock.now()
    )


def _sample_payment(tenant: Tenant) -> Payment:
    at = clock.now()
    return Payment.objects.create(
        tenant=tenant,
        order=_sample_order(tenant),
        provider="local",
        number=f"{uuid.uuid4().int % 10**20}",
        amount=Decimal("10.00"),
        expires_at=at + timedelta(hours=1),
        created_at=at,
    )


# Rows that the database accepts only in a whole story; the isolation tests make them so.
SAMPLES: dict[type[models.Model], Callable[[Tenant], models.Model]] = {
    LedgerTransaction: _sample_posting,
    LedgerLeg: _sample_leg,
    BalanceHold: _sample_hold,
    Payment: _sample_payment,
}
