"""Money on its way back (domain.md §3 and §4): what falls due, what people decide about it, how it ends.

Asking providers is the worker's business (``billing.services.refund_asking``). Runs in staff's scope. Lock order:
tenant → order → payment → refund → ledger. The account 待退款 always holds the sum of the open refunds.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.urls import reverse

from accounts.access import Actor
from accounts.services.audit import audit_record
from billing import exceptions as errors
from billing.locks import lock_payments, lock_refunds
from billing.models import Order, Payment, Refund
from billing.selectors.refunds import (
    awaits_reversal,
    balance_refundable,
    owed_together,
    payments_that_paid,
    refunded_by_payment,
)
from billing.services.history import order_touch
from billing.services.ledger import ledger_post
from billing.services.refund_steps import (
    refund_begin,
    refund_complete,
    refund_lock,
    refund_move,
    refund_note,
    refund_tell_finance,
)
from billing.states import AccountKind, PaymentState, PostingKind, RefundState
from core.jobs import enqueue
from core.money import ZERO, to_cents
from core.numbering import order_number
from messaging.services import notify
from supportplans.locks import lock_tenant
from supportplans.selectors.figures import figure_at
from supportplans.states import FigureCode

logger = logging.getLogger(__name__)
WAITING = (RefundState.AWAITING_INVOICE, RefundState.AWAITING_APPROVAL)


@dataclass(frozen=True)
class Part:
    """A sum that goes back along one way; without a ``payment`` it came from the balance."""

    method: AccountKind
    payment: Payment | None
    amount: Decimal


@transaction.atomic
def refunds_create(
    *, order: Order, refund_to: Mapping[str, Decimal], to_balance: bool, actor: Actor, at: datetime
) -> list[Refund]:
    """Owe the customer what the rules give back by method (``refund_to``, CNY), and start each part on its way.

    ``order`` is the one that gives money back: a completed downgrade or unsubscription, already with its subscription.
    Money of a provider goes back over its payments of the subscription, newest first. ``to_balance``: the customer
    prefers the balance for all of it. The same order again changes nothing. The caller holds the locks of tenant and
    order. Raises RefundAbovePaid.
    """
    lock_tenant(order.tenant_id)
    known = lock_refunds().filter(order=order).exclude(payment__is_surplus=True)
    if existing := list(known):
        return existing
    parts = _parts(order, refund_to)
    if not parts:
        return []
    total = sum((part.amount for part in parts), ZERO)
    ledger_post(
        tenant_id=order.tenant_id,
        kind=PostingKind.REFUND_DUE,
        legs={AccountKind.SALES: -total, AccountKind.REFUNDING: total},
        order=order,
        actor=actor,
        at=at,
    )
    needs_approval = _needs_approval(total, at)
    refunds = [
        _owe(order, part, to_balance=to_balance, needs_approval=needs_approval, actor=actor, at=at)
        for part in parts
    ]
    for refund in refunds:
        _go(refund, order, actor=actor, at=at)
    order_touch(order, at=at, also=[])
    return refunds


def refunds_of_undelivered(*, order: Order, actor: Actor, at: datetime) -> Decimal:
    """Give a paid order that cannot be delivered its money back, to the balance and at once; return the sum in CNY.

    Each way the money came gets a refund of its own, which is done: finance sees it among the others. The caller holds
    the locks, moves the order and tells people.
    """
    parts = []
    if order.balance_amount > ZERO:
        parts.append(Part(AccountKind.BALANCE, None, order.balance_amount))
    if order.due > ZERO:
        payment = order.payments.get(state=PaymentState.SUCCEEDED, is_surplus=False)
        parts.append(Part(AccountKind(payment.provider), payment, order.due))
    for part in parts:
        refund = Refund(
            tenant_id=order.tenant_id,
            number=order_number(at),
            order=order,
            payment=part.payment,
            method=part.method,
            destination=AccountKind.BALANCE,
            amount=part.amount,
            state=RefundState.SUCCEEDED,
            done_at=at,
            created_at=at,
            **actor.snapshot(),
        )
        refund_begin(refund, actor=actor, at=at)
        ledger_post(
            tenant_id=order.tenant_id,
            kind=PostingKind.REFUND_PAID,
            legs={AccountKind.SALES: -part.amount, AccountKind.BALANCE: part.amount},
            order=order,
            actor=actor,
            at=at,
            note=refund.number,
        )
    return sum((part.amount for part in parts), ZERO)


def refund_second_payment(*, payment: Payment, order: Order, actor: Actor, at: datetime) -> Refund:
    """Give back a payment that came for an order that was paid already; the order stays as it is (domain.md §4).

    The caller holds the locks and has marked the payment as surplus.
    """
    ledger_post(
        tenant_id=order.tenant_id,
        kind=PostingKind.REFUND_DUE,
        legs={
            AccountKind(payment.provider): -payment.amount,
            AccountKind.REFUNDING: payment.amount,
        },
        order=order,
        actor=actor,
        at=at,
        note=payment.number,
    )
    part = Part(AccountKind(payment.provider), payment, payment.amount)
    needs_approval = _needs_approval(part.amount, at)
    refund = _owe(order, part, to_balance=False, needs_approval=needs_approval, actor=actor, at=at)
    logger.warning("payment %s: order %s was paid already", payment.number, order.number)
    notify(
        "billing.paid_twice",
        key=payment.number,
        audience=["tenant:owner", "staff:finance"],
        context={"order_number": order.number, "amount": f"{payment.amount:,.2f}"},
        url=order.get_absolute_url(),
        staff_url=reverse("billing:finance_refund_detail", args=[refund.pk]),
        tenant_id=order.tenant_id,
        at=at,
    )
    _go(refund, order, actor=actor, at=at)
    return refund


@transaction.atomic
def refunds_after_reversal(*, order_id: int, actor: Actor, at: datetime) -> list[Refund]:
    """Let the refunds go on that waited for the reversal of the invoice of order ``order_id``; return those.

    A refund over money of several invoiced orders waits for the last of them.
    """
    invoiced = Order.objects.get(pk=order_id)
    lock_tenant(invoiced.tenant_id)
    waiting = Refund.objects.filter(
        tenant_id=invoiced.tenant_id, state=RefundState.AWAITING_INVOICE
    )
    released = []
    for refund_id in list(waiting.order_by("pk").values_list("pk", flat=True)):
        refund, order = refund_lock(refund_id)
        if refund.state == RefundState.AWAITING_INVOICE and not awaits_reversal(refund):
            _release(refund, order, actor=actor, at=at)
            released.append(refund)
    return released


@transaction.atomic
def refund_approve(*, refund_id: int, actor: Actor, at: datetime) -> Refund:
    """Let a large refund go on its way. Raises RefundNotApprovable, RefundOwnApproval."""
    refund, order = refund_lock(refund_id)
    if refund.state != RefundState.AWAITING_APPROVAL:
        raise errors.RefundNotApprovable
    if actor.user is None or actor.user.pk in {refund.actor_id, order.actor_id}:
        raise errors.RefundOwnApproval
    refund.approved_at, refund.approved_by = at, actor.name
    refund_move(
        refund, to=RefundState.READY, actor=actor, at=at, also=["approved_at", "approved_by"]
    )
    _audit("billing.refund_approve", refund, actor=actor, at=at)
    _go(refund, order, actor=actor, at=at)
    return refund


@transaction.atomic
def refund_redirect(*, refund_id: int, note: str, actor: Actor, at: datetime) -> Refund:
    """Send a refund to the balance after all: the customer prefers it, or its way is closed.

    Not while the provider may be paying it. What still waits for a reversal or an approval goes on waiting. Raises
    NoteMissing, RefundUnderway.
    """
    if not note.strip():
        raise errors.NoteMissing(field="note")
    refund, order = refund_lock(refund_id)
    if (
        refund.state not in {*WAITING, RefundState.READY}
        or refund.destination == AccountKind.BALANCE
    ):
        raise errors.RefundUnderway
    refund.destination = AccountKind.BALANCE
    refund.save(update_fields=["destination"])
    _audit("billing.refund_redirect", refund, actor=actor, at=at)
    refund_note(refund, note=note, actor=actor, at=at)
    if refund.state == RefundState.READY:
        refund_complete(refund, order, actor=actor, at=at)
    return refund


@transaction.atomic
def refund_retry(*, refund_id: int, actor: Actor, at: datetime) -> Refund:
    """Ask the provider again now: what had stopped the refund is mended. Raises RefundUnderway."""
    refund, order = refund_lock(refund_id)
    if refund.state != RefundState.READY:
        raise errors.RefundUnderway
    _audit("billing.refund_retry", refund, actor=actor, at=at)
    _go(refund, order, actor=actor, at=at)
    return refund


@transaction.atomic
def refund_transfer_done(*, refund_id: int, reference: str, actor: Actor, at: datetime) -> Refund:
    """Record that finance has transferred a refund; ``reference`` is the bank's.

    Raises ReferenceMissing, RefundNotByTransfer.
    """
    if not reference.strip():
        raise errors.ReferenceMissing(field="reference")
    refund, order = refund_lock(refund_id)
    if refund.state != RefundState.READY or refund.destination != AccountKind.TRANSFER:
        raise errors.RefundNotByTransfer
    _audit("billing.refund_transfer", refund, actor=actor, at=at)
    refund_complete(refund, order, actor=actor, at=at, reference=reference.strip())
    return refund


def _parts(order: Order, refund_to: Mapping[str, Decimal]) -> list[Part]:
    """Split what goes back by method over the payments that brought it. Raises RefundAbovePaid."""
    paid = list(lock_payments().filter(pk__in=payments_that_paid(order).values("pk")))
    paid.sort(key=lambda payment: (payment.paid_at, payment.pk), reverse=True)
    refunded = refunded_by_payment([payment.pk for payment in paid])
    parts: list[Part] = []
    for method, amount in sorted(refund_to.items()):
        left = amount
        if to_cents(left) < 0:
            raise ValueError(f"a refund of {left}")
        if method == AccountKind.BALANCE and ZERO < left <= balance_refundable(order):
            parts.append(Part(AccountKind.BALANCE, None, left))
            left = ZERO
        for payment in paid:
            room = payment.amount - refunded.get(payment.pk, ZERO)
            if payment.provider == method and min(left, room) > ZERO:
                parts.append(Part(AccountKind(method), payment, min(left, room)))
                left -= min(left, room)
        if left > ZERO:
            raise errors.RefundAbovePaid
    return parts


def _owe(
    order: Order,
    part: Part,
    *,
    to_balance: bool,
    needs_approval: bool,
    actor: Actor,
    at: datetime,
) -> Refund:
    refund = Refund(
        tenant_id=order.tenant_id,
        number=order_number(at),
        order=order,
        payment=part.payment,
        method=part.method,
        destination=AccountKind.BALANCE if to_balance else part.method,
        amount=part.amount,
        created_at=at,
        **actor.snapshot(),
    )
    if awaits_reversal(refund):
        refund.state = RefundState.AWAITING_INVOICE
    else:
        refund.state = RefundState.AWAITING_APPROVAL if needs_approval else RefundState.READY
    refund_begin(refund, actor=actor, at=at)
    return refund


def _release(refund: Refund, order: Order, *, actor: Actor, at: datetime) -> None:
    """The invoice is reversed: on to the approval, if the refund needs one, else on its way."""
    needs_approval = _needs_approval(owed_together(refund), refund.created_at)
    to = RefundState.AWAITING_APPROVAL if needs_approval else RefundState.READY
    refund_move(refund, to=to, actor=actor, at=at)
    _go(refund, order, actor=actor, at=at)


def _needs_approval(total: Decimal, at: datetime) -> bool:
    return total > figure_at(FigureCode.REFUND_APPROVAL_ABOVE, at)


def _go(refund: Refund, order: Order, *, actor: Actor, at: datetime) -> None:
    """What waits is finance's. Else: to the balance at once, to a provider by the worker, by transfer by finance."""
    if refund.state in WAITING:
        refund_tell_finance(refund, order, why=refund.state, at=at)
    elif refund.destination == AccountKind.BALANCE:
        refund_complete(refund, order, actor=actor, at=at)
    elif refund.destination == AccountKind.TRANSFER:
        refund_tell_finance(refund, order, why="transfer", at=at)
    else:
        refund.next_try_at = at
        refund.save(update_fields=["next_try_at"])
        enqueue("billing.refund_follow", refund_id=refund.pk)


def _audit(action: str, refund: Refund, *, actor: Actor, at: datetime) -> None:
    audit_record(
        action=action,
        subject=refund.number,
        actor=actor,
        at=at,
        tenant_id=refund.tenant_id,
        details={"amount": f"{refund.amount:.2f}", "destination": refund.destination},
    )
