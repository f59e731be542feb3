"""The one way to move an order to another state: the row, its version and its line of history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.access import Actor
from billing.models import Order, OrderEvent
from billing.states import OrderState
from core.rows import update_together

# What the worker makes of a paid order.
DONE_STATES = (OrderState.COMPLETED, OrderState.REFUNDED)


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

    A paid order that is done at once has been 开通中 all the same: its history says so. Raises MoveNotAllowed.
    """
    is_done_at_once = order.state == OrderState.PAID and to in DONE_STATES
    events = []
    for state in [OrderState.PROVISIONING, to] if is_done_at_once else [to]:
        if not order.can_become(state):
            raise MoveNotAllowed(f"{order.state} → {state}")
        event = OrderEvent(
            tenant_id=order.tenant_id,
            order=order,
            from_state=order.state,
            to_state=state,
            note=note if state == to else "",
            created_at=at,
            **actor.snapshot(),
        )
        events.append(event)
        order.state = state
    update_together(order, ["state", *also, *_version_up(order, at)], *events)


def order_touch(order: Order, *, at: datetime, also: Sequence[str]) -> None:
    """Write the fields named in ``also`` and count the version up, so that live pages notice."""
    order.save(update_fields=[*_version_up(order, at), *also])


def _version_up(order: Order, at: datetime) -> list[str]:
    order.version += 1
    order.updated_at = at
    return ["version", "updated_at"]
