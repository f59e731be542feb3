"""A provider's records of one day against our payments and refunds of that day, by its clock (domain.md §4).

The worker fetches the records outside of any transaction and hands them in. Comparing again adds nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.urls import reverse

from accounts.access import Actor
from accounts.services.audit import audit_record
from billing import exceptions as errors
from billing.locks import lock_differences, lock_reconciliations
from billing.models import Difference, Payment, Reconciliation, Refund
from billing.models.payments import CURRENCY
from billing.providers.base import RecordKind, TradeRecord
from billing.states import DifferenceKind, PaymentState, RefundState
from core.clock import SHANGHAI
from messaging.services import notify

LOOKUP_BATCH = 1000


@dataclass(frozen=True)
class Compared:
    """What a comparison found: new differences, payments to ask the provider about, refunds to ask about."""

    differences: int
    payments: tuple[str, ...]
    refunds: tuple[int, ...]


@transaction.atomic
def reconciliation_fail(*, provider: str, day: date, error: str, at: datetime) -> None:
    """Keep why a day could not be compared; the sweep tries again."""
    reconciliation = _open(provider, day, at)
    reconciliation.error = error[:200]
    reconciliation.save(update_fields=["error"])


@transaction.atomic
def reconciliation_compare(
    *, provider: str, day: date, records: Sequence[TradeRecord], at: datetime
) -> Compared:
    """Write what differs between the provider's ``records`` of a day of Shanghai and ours, and tell finance."""
    reconciliation = _open(provider, day, at)
    found = _Comparison(provider, day)
    for first in range(0, len(records), LOOKUP_BATCH):
        found.look_up(records[first : first + LOOKUP_BATCH])
    found.look_for_missing_there(records)
    known = set(reconciliation.differences.values_list("kind", "number"))
    new = [row for row in found.differences if (row.kind, row.number) not in known]
    for row in new:
        row.reconciliation, row.created_at = reconciliation, at
    Difference.objects.bulk_create(new, ignore_conflicts=True)
    reconciliation.compared = len(records)
    # A day that is still running is compared again once it is over.
    reconciliation.finished_at = at if at >= found.ends else None
    reconciliation.error = ""
    reconciliation.save(update_fields=["compared", "finished_at", "error"])
    if new:
        notify(
            "billing.day_differs",
            key=f"{provider} {day} {len(known) + len(new)}",
            audience=["staff:finance"],
            context={"provider": provider, "day": day.isoformat(), "count": len(new)},
            staff_url=reverse("billing:finance_difference_list"),
            tenant_id=None,
            at=at,
        )
    return Compared(len(new), tuple(found.payments), tuple(found.refunds))


@transaction.atomic
def difference_settle(*, difference_id: int, note: str, actor: Actor, at: datetime) -> Difference:
    """Record what finance found out about a difference. Raises NoteMissing, DifferenceSettled."""
    if not note.strip():
        raise errors.NoteMissing(field="note")
    difference = lock_differences().get(pk=difference_id)
    if difference.settled_at is not None:
        raise errors.DifferenceSettled
    difference.settled_at, difference.settled_by = at, actor.name
    difference.note = note.strip()[:200]
    difference.save(update_fields=["settled_at", "settled_by", "note"])
    audit_record(
        action="billing.difference_settle",
        subject=difference.number,
        actor=actor,
        at=at,
        tenant_id=None,
        details={"kind": difference.kind, "note": difference.note},
    )
    return difference


class _Comparison:
    """Collects what differs while the records are looked up, a batch at a time."""

    def __init__(self, provider: str, day: date) -> None:
        self.provider = provider
        self.begins = datetime.combine(day, time.min, SHANGHAI)
        self.ends = self.begins + timedelta(days=1)
        self.differences: list[Difference] = []
        self.payments: list[str] = []
        self.refunds: list[int] = []

    def look_up(self, records: Sequence[TradeRecord]) -> None:
        """Compare each record with ours of its number. Two queries."""
        paid, refunded = _by_kind(records)
        payments = Payment.objects.filter(provider=self.provider, number__in=list(paid))
        refunds = Refund.objects.filter(
            payment__provider=self.provider, number__in=list(refunded)
        ).select_related("payment")
        ours_paid = {payment.number: payment for payment in payments}
        ours_refunded = {refund.number: refund for refund in refunds}
        for number, record in paid.items():
            self._payment(record, ours_paid.get(number))
        for number, record in refunded.items():
            self._refund(record, ours_refunded.get(number))

    def look_for_missing_there(self, records: Sequence[TradeRecord]) -> None:
        """Find ours of the day that the provider does not list. Two queries."""
        paid, refunded = _by_kind(records)
        payments = Payment.objects.filter(
            provider=self.provider,
            state=PaymentState.SUCCEEDED,
            paid_at__gte=self.begins,
            paid_at__lt=self.ends,
        )
        for payment in payments.iterator():
            if payment.number not in paid:
                self._add(DifferenceKind.MISSING_THERE, payment=payment)
        refunds = Refund.objects.filter(
            destination=self.provider,
            state=RefundState.SUCCEEDED,
            done_at__gte=self.begins,
            done_at__lt=self.ends,
        )
        for refund in refunds.iterator():
            if refund.number not in refunded:
                self._add(DifferenceKind.MISSING_THERE, refund=refund)

    def _payment(self, record: TradeRecord, ours: Payment | None) -> None:
        if ours is None:
            self._add(DifferenceKind.MISSING_HERE, record)
            return
        if _differs(record, ours.amount):
            self._add(DifferenceKind.AMOUNT, record, payment=ours)
        if ours.state != PaymentState.SUCCEEDED:
            self._add(DifferenceKind.STATE, record, payment=ours)
            self.payments.append(ours.number)

    def _refund(self, record: TradeRecord, ours: Refund | None) -> None:
        if ours is None:
            self._add(DifferenceKind.MISSING_HERE, record)
            return
        if _differs(record, ours.amount):
            self._add(DifferenceKind.AMOUNT, record, refund=ours)
        # Redirected to the balance, and yet paid by the provider: the customer has it twice.
        if ours.state != RefundState.SUCCEEDED or ours.destination != self.provider:
            self._add(DifferenceKind.STATE, record, refund=ours)
            self.refunds.append(ours.pk)

    def _add(
        self,
        kind: DifferenceKind,
        record: TradeRecord | None = None,
        *,
        payment: Payment | None = None,
        refund: Refund | None = None,
    ) -> None:
        ours = payment or refund
        number = (record.refund_number or record.number) if record else ours.number if ours else ""
        trade_no = record.trade_no if record else payment.trade_no if payment else ""
        self.differences.append(
            Difference(
                kind=kind,
                number=number[:64],
                trade_no=trade_no[:64],
                payment=payment,
                refund=refund,
                ours=ours.amount if ours else None,
                theirs=record.amount if record else None,
            )
        )


def _open(provider: str, day: date, at: datetime) -> Reconciliation:
    """Return the day's row, locked: of two workers the second sees what the first wrote."""
    Reconciliation.objects.bulk_create(
        [Reconciliation(provider=provider, day=day, created_at=at)], ignore_conflicts=True
    )
    return lock_reconciliations().get(provider=provider, day=day)


def _by_kind(
    records: Sequence[TradeRecord],
) -> tuple[dict[str, TradeRecord], dict[str, TradeRecord]]:
    """Return the payments by number and the refunds by refund number."""
    paid = {r.number: r for r in records if r.kind == RecordKind.PAYMENT}
    refunded = {r.refund_number: r for r in records if r.kind == RecordKind.REFUND}
    return paid, refunded


def _differs(record: TradeRecord, amount: Decimal) -> bool:
    return record.amount != amount or record.currency != CURRENCY
