"""Single steps of a refund's way, each with its line of history. Callers hold the locks of tenant, order and refund."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse

from accounts.access import Actor
from billing.locks import lock_orders, lock_refunds
from billing.models import Order, Refund, RefundEvent
from billing.services.history import MoveNotAllowed, order_touch
from billing.services.ledger import ledger_post
from billing.states import AccountKind, PostingKind, RefundState
from messaging.services import notify
from supportplans.locks import lock_tenant


def refund_lock(refund_id: int) -> tuple[Refund, Order]:
    """Return the refund and its order, locked after their tenant. Raises Refund.DoesNotExist."""
    tenant_id, order_id = Refund.objects.values_list("tenant_id", "order_id").get(pk=refund_id)
    lock_tenant(tenant_id)
    order = lock_orders().get(pk=order_id)
    return lock_refunds().select_related("payment", "order").get(pk=refund_id), order


def refund_begin(refund: Refund, *, actor: Actor, at: datetime) -> None:
    """Write a new refund and the first line of its history."""
    refund.save()
    _record(refund, before="", note="", actor=actor, at=at)


def refund_move(
    refund: Refund,
    *,
    to: RefundState,
    actor: Actor,
    at: datetime,
    note: str = "",
    also: Sequence[str] = (),
) -> None:
    """Write the new state, the changed fields named in ``also`` and a line of history. Raises MoveNotAllowed."""
    if not refund.can_become(to):
        raise MoveNotAllowed(f"{refund.state} → {to}")
    before, refund.state = refund.state, to
    refund.save(update_fields=["state", *also])
    _record(refund, before=before, note=note, actor=actor, at=at)


def refund_note(refund: Refund, *, note: str, actor: Actor, at: datetime) -> None:
    """Add a line of history about something that leaves the state as it is."""
    _record(refund, before=refund.state, note=note, actor=actor, at=at)


def refund_complete(
    refund: Refund,
    order: Order,
    *,
    actor: Actor,
    at: datetime,
    done_at: datetime | None = None,
    reference: str = "",
    refused: str = "",
) -> None:
    """The money is where it should be: book it, end the refund, tell the customer.

    ``done_at`` is by the provider's clock where it has said so. ``refused`` is the provider's reason when the balance
    takes its place: finance is told too.
    """
    ledger_post(
        tenant_id=refund.tenant_id,
        kind=PostingKind.REFUND_PAID,
        legs={
            AccountKind.REFUNDING: -refund.amount,
            AccountKind(refund.destination): refund.amount,
        },
        order=order,
        actor=actor,
        at=at,
        note=refund.number,
    )
    refund.done_at = done_at or at
    refund.reference, refund.error, refund.next_try_at = reference, "", None
    refund_move(
        refund,
        to=RefundState.SUCCEEDED,
        actor=actor,
        at=at,
        note=refused,
        also=["destination", "done_at", "reference", "error", "next_try_at"],
    )
    order_touch(order, at=at, also=[])
    notify(
        "billing.refund_done",
        key=refund.number,
        audience=["tenant:owner", "staff:finance"] if refused else ["tenant:owner"],
        context={
            **_facts(refund, order),
            "to_balance": refund.destination == AccountKind.BALANCE,
            "by_transfer": refund.destination == AccountKind.TRANSFER,
            "refused": bool(refused),
        },
        url=order.get_absolute_url(),
        staff_url=_page(refund),
        tenant_id=refund.tenant_id,
        at=at,
    )


def refund_tell_finance(refund: Refund, order: Order, *, why: str, at: datetime) -> None:
    """Tell finance, once per reason, that a refund waits for people: "invoice", "approval", "transfer", "stopped"."""
    notify(
        "billing.refund_waits",
        key=f"{refund.number} {why}",
        audience=["staff:finance"],
        context={**_facts(refund, order), "why": str(why), "error": refund.error},
        staff_url=_page(refund),
        tenant_id=refund.tenant_id,
        at=at,
    )


def _page(refund: Refund) -> str:
    return reverse("billing:finance_refund_detail", args=[refund.pk])


def _facts(refund: Refund, order: Order) -> dict[str, str]:
    return {
        "order_number": order.number,
        "refund_number": refund.number,
        "amount": f"{refund.amount:,.2f}",
    }


def _record(refund: Refund, *, before: str, note: str, actor: Actor, at: datetime) -> None:
    RefundEvent.objects.create(
        tenant_id=refund.tenant_id,
        refund=refund,
        from_state=before,
        to_state=refund.state,
        note=note[:200],
        created_at=at,
        **actor.snapshot(),
    )
