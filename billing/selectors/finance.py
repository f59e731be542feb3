"""What finance's desk reads: what waits, keyset pages of all customers' rows, customers by what people write.

Runs in staff's scope. The cost of a page does not grow with its table: pages go on by key, counts are capped.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from django.db.models import CharField, Model, Q, QuerySet, Value

from accounts.models import Tenant
from billing.models import (
    Coupon,
    CouponGrant,
    Difference,
    Invoice,
    LedgerProof,
    Order,
    Payment,
    Reconciliation,
    Refund,
    Voucher,
)
from billing.selectors.reconciliation import proof_list
from billing.states import (
    LIVE_PAYMENT_STATES,
    OPEN_REFUND_STATES,
    AccountKind,
    InvoiceState,
    PaymentState,
    RefundState,
)
from core.clock import SHANGHAI

COUNT_CAP = 99
PAGE = 50
CUSTOMERS_OFFERED = 20
# A refund that something has stopped, whatever its state.
STOPPED = "stopped"
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Waiting:
    """What waits for finance: counts as texts ("99+" above the cap), and how the nightly checks ended."""

    counts: dict[str, str]
    proof: LedgerProof | None
    reconciliations: list[Reconciliation]


def waiting() -> Waiting:
    """Return everything that waits for finance. Three queries."""
    open_refunds = Refund.objects.filter(state__in=OPEN_REFUND_STATES)
    counted: dict[str, QuerySet[Any]] = {
        "approvals": open_refunds.filter(state=RefundState.AWAITING_APPROVAL),
        "reversals": open_refunds.filter(state=RefundState.AWAITING_INVOICE),
        "by_hand": open_refunds.filter(state=RefundState.READY, destination=AccountKind.TRANSFER),
        "stopped": open_refunds.exclude(error=""),
        "transfers": Payment.objects.filter(
            state__in=LIVE_PAYMENT_STATES, provider=AccountKind.TRANSFER
        ),
        "differences": Difference.objects.filter(settled_at=None),
        "invoices": Invoice.objects.filter(state=InvoiceState.REQUESTED),
    }
    newest = Reconciliation.objects.order_by("provider", "-day").distinct("provider")
    return Waiting(_capped(counted), next(iter(proof_list(1)), None), list(newest))


def page_of(rows: QuerySet[Row], after: int | None) -> tuple[list[Row], int | None]:
    """Return one page, newest first, and the key of the next one, if there is one. One query."""
    rows = rows.order_by("-pk")
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    return shown, shown[-1].pk if len(found) > PAGE else None


def payments_found(
    *, state: str = "", provider: str = "", day: date | None = None, q: str = ""
) -> QuerySet[Payment]:
    """Return all customers' payments; ``day`` of Shanghai is when they were begun, ``q`` the number of an order,
    a payment or a trade.
    """
    payments = Payment.objects.select_related("tenant", "order")
    if state:
        payments = payments.filter(state=state)
    if provider:
        payments = payments.filter(provider=provider)
    if day is not None:
        first, after = bounds_of(day)
        payments = payments.filter(created_at__gte=first, created_at__lt=after)
    if q:
        payments = payments.filter(Q(number=q) | Q(trade_no=q) | _of_order(q))
    return payments


def transfers_found(*, closed: bool = False, q: str = "") -> QuerySet[Payment]:
    """Return bank transfers whose money is still awaited; a closed one's may arrive all the same."""
    states = [PaymentState.CLOSED] if closed else list(LIVE_PAYMENT_STATES)
    payments = Payment.objects.filter(provider=AccountKind.TRANSFER)
    # Who searches for a number wants it wherever it is, as long as the money has not come.
    if q:
        payments = payments.exclude(state=PaymentState.SUCCEEDED).filter(Q(number=q) | _of_order(q))
    else:
        payments = payments.filter(state__in=states)
    return payments.select_related("tenant", "order__plan")


def refunds_found(*, state: str = "", destination: str = "", q: str = "") -> QuerySet[Refund]:
    """Return all customers' refunds; ``state`` may be ``STOPPED``, ``q`` is the number of a refund or an order."""
    refunds = Refund.objects.select_related("tenant", "order", "payment")
    if state == STOPPED:
        refunds = refunds.filter(state__in=OPEN_REFUND_STATES).exclude(error="")
    elif state:
        refunds = refunds.filter(state=state)
    if destination:
        refunds = refunds.filter(destination=destination)
    if q:
        refunds = refunds.filter(Q(number=q) | _of_order(q))
    return refunds


def refund_get(refund_id: int) -> Refund:
    """Return one refund with what its page shows. Raises Refund.DoesNotExist. Two queries."""
    refunds = Refund.objects.select_related("tenant", "order__plan", "payment__order")
    return refunds.prefetch_related("history").get(pk=refund_id)


def transfer_get(payment_id: int) -> Payment:
    """Return a payment by bank transfer with its order. Raises Payment.DoesNotExist."""
    transfers = Payment.objects.filter(provider=AccountKind.TRANSFER)
    return transfers.select_related("tenant", "order__plan").get(pk=payment_id)


def differences_found(
    *, settled: bool = False, provider: str = "", kind: str = "", day: date | None = None
) -> QuerySet[Difference]:
    """Return differences of reconciliation with what they are about."""
    rows = Difference.objects.filter(settled_at__isnull=not settled).select_related(
        "reconciliation", "payment__order", "payment__tenant", "refund__order", "refund__tenant"
    )
    if provider:
        rows = rows.filter(reconciliation__provider=provider)
    if day is not None:
        rows = rows.filter(reconciliation__day=day)
    if kind:
        rows = rows.filter(kind=kind)
    return rows


def difference_get(difference_id: int) -> Difference:
    """Return one difference with what it is about. Raises Difference.DoesNotExist."""
    return Difference.objects.select_related(
        "reconciliation", "payment__order", "payment__tenant", "refund__order", "refund__tenant"
    ).get(pk=difference_id)


def invoices_found(*, state: str = "", q: str = "") -> QuerySet[Invoice]:
    """Return all customers' invoices; ``q`` is the number of an order or an invoice."""
    invoices = Invoice.objects.select_related("tenant", "order")
    if state:
        invoices = invoices.filter(state=state)
    if q:
        invoices = invoices.filter(Q(invoice_number=q) | _of_order(q))
    return invoices


def invoice_get(invoice_id: int) -> Invoice:
    """Return one invoice with its order. Raises Invoice.DoesNotExist."""
    return Invoice.objects.select_related("tenant", "order__plan").get(pk=invoice_id)


def coupons_found(*, at: datetime, over: bool = False, q: str = "") -> QuerySet[Coupon]:
    """Return coupons that can still be granted, or those that are over; ``q`` is a code or part of a name."""
    ends = {"valid_until__lte": at} if over else {"valid_until__gt": at}
    coupons = Coupon.objects.filter(**ends)
    return coupons.filter(Q(code=q) | Q(name__icontains=q)) if q else coupons


def coupon_get(coupon_id: int) -> Coupon:
    """Return the terms of one coupon. Raises Coupon.DoesNotExist."""
    return Coupon.objects.get(pk=coupon_id)


def grants_found(coupon_id: int, *, state: str = "") -> QuerySet[CouponGrant]:
    """Return who has the coupon."""
    grants = CouponGrant.objects.filter(coupon_id=coupon_id).select_related("tenant", "order")
    return grants.filter(state=state) if state else grants


def grant_get(grant_id: int) -> CouponGrant:
    """Return a coupon in a customer's hands. Raises CouponGrant.DoesNotExist."""
    return CouponGrant.objects.select_related("tenant", "coupon").get(pk=grant_id)


def vouchers_found(
    *, at: datetime, state: str = "", tenants: Collection[int] | None = None
) -> QuerySet[Voucher]:
    """Return all customers' vouchers: those that can pay (``usable``), that are ``over`` or ``withdrawn``, or all."""
    vouchers = Voucher.objects.select_related("tenant")
    if state == "usable":
        vouchers = vouchers.filter(withdrawn_at=None, valid_until__gt=at, balance__gt=0)
    elif state == "over":
        vouchers = vouchers.filter(withdrawn_at=None, valid_until__lte=at)
    elif state == "withdrawn":
        vouchers = vouchers.filter(withdrawn_at__isnull=False)
    return vouchers if tenants is None else vouchers.filter(tenant_id__in=tenants)


def voucher_get(voucher_id: int) -> Voucher:
    """Return one voucher. Raises Voucher.DoesNotExist."""
    return Voucher.objects.select_related("tenant").get(pk=voucher_id)


def customers_named(texts: Collection[str]) -> dict[str, list[Tenant]]:
    """Return the customers that these texts name, by exact name or by the id that customers see. One query."""
    ids = {text: found for text in texts if (found := _public_id(text))}
    rows = Tenant.objects.filter(Q(name__in=texts) | Q(public_id__in=ids.values())).order_by("pk")
    named: dict[str, list[Tenant]] = {text: [] for text in texts}
    by_id = {public_id: text for text, public_id in ids.items()}
    for tenant in rows:
        for text in {tenant.name, by_id.get(tenant.public_id, "")} & named.keys():
            named[text].append(tenant)
    return named


def customers_like(text: str) -> list[Tenant]:
    """Return some customers whose name contains ``text``, or whose id it is, by name. One query."""
    if not text.strip():
        return []
    meant = Q(name__icontains=text.strip())
    if public_id := _public_id(text.strip()):
        meant |= Q(public_id=public_id)
    return list(Tenant.objects.filter(meant).order_by("name", "pk")[:CUSTOMERS_OFFERED])


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """Return the instants between which a day of Shanghai lies, the second one excluded."""
    first = datetime.combine(day, time.min, SHANGHAI)
    return first, first + timedelta(days=1)


def _of_order(number: str) -> Q:
    """Match what belongs to the order of this number. Asked first: a condition over two tables uses no index."""
    return Q(order_id__in=list(Order.objects.filter(number=number).values_list("pk", flat=True)))


def _capped(counted: dict[str, QuerySet[Any]]) -> dict[str, str]:
    """Count all of them in one query, each as far as anybody reads on."""
    names = list(
        _union(
            rows.order_by()
            .annotate(counted=Value(name, output_field=CharField()))
            .values_list("counted", flat=True)[: COUNT_CAP + 1]
            for name, rows in counted.items()
        )
    )
    found = {name: names.count(name) for name in counted}
    return {name: f"{COUNT_CAP}+" if n > COUNT_CAP else str(n) for name, n in found.items()}


def _union(rows: Iterator[QuerySet[Any]]) -> QuerySet[Any]:
    first, *others = rows
    return first.union(*others, all=True)


def _public_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
