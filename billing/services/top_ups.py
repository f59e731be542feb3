"""Topping up the balance through the cashier (domain.md §4): an order without plan and term, several open at once."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.access import SYSTEM, Actor
from billing import exceptions as errors
from billing.events import OrderCompleted
from billing.models import Order, OrderEvent
from billing.selectors.wallet import top_up_limits
from billing.services.history import order_move
from billing.services.ledger import ledger_post
from billing.states import AccountKind, OrderState, OrderType, PostingKind
from core.events import publish
from core.money import CENT
from core.numbering import order_number
from messaging.services import notify
from supportplans.locks import lock_tenant
from supportplans.selectors.figures import figure_at, hours_of
from supportplans.states import FigureCode


@transaction.atomic
def top_up_create(
    *, tenant_id: int, amount: Decimal, idempotency_key: str, actor: Actor, at: datetime
) -> Order:
    """Order ``amount`` (CNY) of balance; it is paid at the cashier and nowhere else.

    The same ``idempotency_key`` again returns the same order. Raises AmountInvalid, TopUpOutOfRange,
    IdempotencyKeyReused.
    """
    _must_be_in_range(amount, at)
    lock_tenant(tenant_id)
    existing = Order.objects.filter(tenant_id=tenant_id, idempotency_key=idempotency_key).first()
    if existing is not None:
        if (existing.type, existing.amount) != (OrderType.TOP_UP, amount):
            raise errors.IdempotencyKeyReused
        return existing
    order = Order.objects.create(
        tenant_id=tenant_id,
        number=order_number(at),
        type=OrderType.TOP_UP,
        amount=amount,
        pays_until=at + hours_of(figure_at(FigureCode.ORDER_HOURS, at)),
        idempotency_key=idempotency_key,
        created_at=at,
        updated_at=at,
        **actor.snapshot(),
    )
    OrderEvent.objects.create(
        tenant_id=tenant_id,
        order=order,
        to_state=OrderState.PENDING,
        created_at=at,
        **actor.snapshot(),
    )
    return order


def top_up_finish(order: Order, *, at: datetime) -> None:
    """Put the paid sum on the balance and complete the order. The caller holds the locks of tenant and order."""
    ledger_post(
        tenant_id=order.tenant_id,
        kind=PostingKind.TOP_UP,
        legs={AccountKind.SALES: -order.amount, AccountKind.BALANCE: order.amount},
        order=order,
        actor=SYSTEM,
        at=at,
        note=order.number,
    )
    order.completed_at = at
    order_move(order, to=OrderState.COMPLETED, actor=SYSTEM, at=at, also=["completed_at"])
    publish(
        OrderCompleted(tenant_id=order.tenant_id, order_id=order.pk, number=order.number, at=at)
    )
    notify(
        "billing.balance_credited",
        key=f"top-up-{order.number}",
        audience=["tenant:owner"],
        context={"amount": f"{order.amount:,.2f}", "order_number": ""},
        url=order.get_absolute_url(),
        tenant_id=order.tenant_id,
        at=at,
    )


def _must_be_in_range(amount: Decimal, at: datetime) -> None:
    if not amount.is_finite() or amount != amount.quantize(CENT):
        raise errors.AmountInvalid(field="amount")
    least, most = top_up_limits(at)
    if not least <= amount <= most:
        raise errors.TopUpOutOfRange(least, most)
