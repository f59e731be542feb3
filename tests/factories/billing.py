"""Orders, payments and postings for tests. What has a service is made by it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.access import SYSTEM, Actor
from accounts.models import Tenant, User
from billing.models import LedgerTransaction, Order
from billing.services.ledger import ledger_post
from billing.services.placing import order_create
from billing.states import AccountKind, OrderType, PostingKind
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
