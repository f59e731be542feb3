"""Money that goes back, to the balance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from accounts.access import Actor
from billing.models import Order, Refund
from billing.services.ledger import ledger_post
from billing.states import AccountKind, PostingKind
from core.money import ZERO


def refunds_create(
    *,
    order: Order,
    refund_to: Mapping[str, Decimal],
    to_balance: bool,
    actor: Actor,
    at: datetime,
) -> list[Refund]:
    """Post what an order gives back to the balance, in the transaction that completes it."""
    total = sum(refund_to.values(), ZERO)
    if total:
        ledger_post(
            tenant_id=order.tenant_id,
            kind=PostingKind.REFUND_PAID,
            legs={AccountKind.SALES: -total, AccountKind.BALANCE: total},
            order=order,
            actor=actor,
            at=at,
        )
    return []
