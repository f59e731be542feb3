"""Postings in the account book, and what an open order keeps of the balance (domain.md §4).

Callers hold the locks of tenant and order; the accounts are locked here, last in the portal's lock order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from accounts.access import Actor
from accounts.services.audit import audit_record
from billing.exceptions import AmountInvalid, BalanceTooLow, TopUpRepeated
from billing.locks import lock_accounts, lock_bank_serial, lock_holds
from billing.models import BalanceHold, LedgerLeg, LedgerTransaction, Order, Payment
from billing.states import NEVER_NEGATIVE, AccountKind, HoldState, PostingKind
from core.money import CENT, ZERO
from messaging.services import notify
from supportplans.locks import lock_tenant

# The database checks each posting when the transaction ends; asked at once, a mistake shows where it was made.
CHECK_NOW = (
    "SET CONSTRAINTS billing_legs_balance IMMEDIATE; SET CONSTRAINTS billing_legs_balance DEFERRED"
)


@transaction.atomic
def ledger_post(
    *,
    tenant_id: int,
    kind: PostingKind,
    legs: Mapping[AccountKind, Decimal],
    order: Order | None,
    actor: Actor,
    at: datetime,
    note: str = "",
) -> LedgerTransaction:
    """Move money between the tenant's accounts: ``legs`` in CNY sum to zero, a positive one arrives.

    Raises BalanceTooLow when the customer does not own that much. The database refuses legs that do not balance, and a
    negative balance even if two postings race.
    """
    accounts = lock_accounts(tenant_id, legs)
    for name, amount in legs.items():
        if name in NEVER_NEGATIVE and accounts[name].balance + amount < ZERO:
            raise BalanceTooLow
    posting = LedgerTransaction.objects.create(
        tenant_id=tenant_id, kind=kind, order=order, note=note, created_at=at, **actor.snapshot()
    )
    LedgerLeg.objects.bulk_create(
        LedgerLeg(
            tenant_id=tenant_id, transaction=posting, account=accounts[name], amount=legs[name]
        )
        for name in sorted(legs)
    )
    with connection.cursor() as cursor:
        cursor.execute(CHECK_NOW)
    return posting


@transaction.atomic
def balance_top_up(
    *, tenant_id: int, amount: Decimal, note: str, actor: Actor, at: datetime
) -> LedgerTransaction:
    """Book money that finance has received by bank transfer; ``note`` is the bank's reference.

    Raises AmountInvalid, TopUpRepeated.
    """
    if not amount.is_finite() or amount <= ZERO or amount != amount.quantize(CENT):
        raise AmountInvalid(field="amount")
    lock_tenant(tenant_id)
    if note:
        bank_serial_take(note, field="note")
    posting = ledger_post(
        tenant_id=tenant_id,
        kind=PostingKind.TOP_UP,
        legs={AccountKind.TRANSFER: -amount, AccountKind.BALANCE: amount},
        order=None,
        actor=actor,
        at=at,
        note=note,
    )
    audit_record(
        action="billing.top_up",
        subject=note,
        actor=actor,
        at=at,
        tenant_id=tenant_id,
        details={"amount": f"{amount:.2f}"},
    )
    notify(
        "billing.balance_credited",
        key=f"posting-{posting.pk}",
        audience=["tenant:owner"],
        context={"amount": f"{amount:,.2f}", "order_number": ""},
        tenant_id=tenant_id,
        at=at,
    )
    return posting


def bank_serial_take(serial: str, *, field: str) -> None:
    """Make sure that what the bank calls ``serial`` is booked once, whoever's money it is: as a top-up or for an order.

    Runs in staff's scope; holds off others until the transaction ends. Raises TopUpRepeated.
    """
    lock_bank_serial(serial)
    topped_up = LedgerTransaction.objects.filter(kind=PostingKind.TOP_UP, note=serial)
    paid = Payment.objects.filter(provider=AccountKind.TRANSFER, trade_no=serial)
    if topped_up.exists() or paid.exists():
        raise TopUpRepeated(field=field)


def balance_hold(*, order: Order, amount: Decimal, actor: Actor, at: datetime) -> BalanceHold:
    """Keep ``amount`` (CNY) of the balance for an open order. Raises BalanceTooLow."""
    ledger_post(
        tenant_id=order.tenant_id,
        kind=PostingKind.HOLD,
        legs={AccountKind.BALANCE: -amount, AccountKind.HELD: amount},
        order=order,
        actor=actor,
        at=at,
    )
    return BalanceHold.objects.create(
        tenant_id=order.tenant_id, order=order, amount=amount, created_at=at
    )


def hold_release(*, order: Order, actor: Actor, at: datetime) -> None:
    """Give back what the order keeps of the balance, if anything."""
    _end_hold(
        order,
        goes_to=AccountKind.BALANCE,
        kind=PostingKind.RELEASE,
        state=HoldState.RELEASED,
        actor=actor,
        at=at,
    )


def hold_capture(*, order: Order, actor: Actor, at: datetime) -> None:
    """Spend what the order keeps of the balance, if anything."""
    _end_hold(
        order,
        goes_to=AccountKind.SALES,
        kind=PostingKind.CAPTURE,
        state=HoldState.CAPTURED,
        actor=actor,
        at=at,
    )


def _end_hold(
    order: Order,
    *,
    goes_to: AccountKind,
    kind: PostingKind,
    state: HoldState,
    actor: Actor,
    at: datetime,
) -> None:
    hold = lock_holds().filter(order=order, state=HoldState.HELD).first()
    if hold is None:
        return
    ledger_post(
        tenant_id=order.tenant_id,
        kind=kind,
        legs={AccountKind.HELD: -hold.amount, goes_to: hold.amount},
        order=order,
        actor=actor,
        at=at,
    )
    hold.state = state
    hold.ended_at = at
    hold.save(update_fields=["state", "ended_at"])
