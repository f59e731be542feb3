"""The one way to move an order to another state: the row, its version and its line of history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.access import Actor
from billing.models import Order, OrderEvent
from billing.states import OrderState


class MoveNotAllowed(RuntimeError):
    """A service moves an order against the transition table: a programming error, it has checked before."""


def order_move(
    order: Order,
    *,
    to: OrderState,
    actor: Actor,
    at: datetime,
    note: str = "",
    also: Sequence[str] = (),
) -> None:
    """Write the new state, the changed fields named in ``also`` and a line of history. The caller holds the row lock.

    Raises MoveNotAllowed.
    """
    if not order.can_become(to):
        raise MoveNotAllowed(f"{order.state} → {to}")
    before, order.state = order.state, to
    order_touch(order, at=at, also=["state", *also])
    OrderEvent.objects.create(
        tenant_id=order.tenant_id,
        order=order,
        from_state=before,
        to_state=to,
        note=note,
        created_at=at,
        **actor.snapshot(),
    )


def order_touch(order: Order, *, at: datetime, also: Sequence[str]) -> None:
    """Write the fields named in ``also`` and count the version up, so that live pages notice."""
    order.version += 1
    order.updated_at = at
    order.save(update_fields=["version", "updated_at", *also])
