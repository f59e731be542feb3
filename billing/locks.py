"""Row locks of this app, in the portal's lock order: tenant → subscription → order → payment → refund → ledger.

What pays an order stands between: … → payment → coupon (its budget) → coupon grant → voucher → refund → ledger. An
invoice is locked after its order and with nothing below it.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection
from django.db.models import QuerySet

from billing.models import (
    AutoRenewal,
    BalanceHold,
    Coupon,
    CouponGrant,
    Difference,
    Invoice,
    LedgerAccount,
    Order,
    Payment,
    Reconciliation,
    Refund,
    Voucher,
    VoucherUse,
)
from billing.states import PaymentState
from core.rows import select_rows


def lock_auto_renewals() -> QuerySet[AutoRenewal]:
    """Return settings of renewing by itself that are locked when read; they come right after their tenant."""
    return AutoRenewal.objects.select_for_update(of=("self",)).order_by("pk")


def lock_orders() -> QuerySet[Order]:
    """Return orders that are locked when read, in the order of their ids."""
    return Order.objects.select_for_update(of=("self",)).order_by("pk")


_PAID_ORDER = """
SELECT *, (SELECT provider FROM billing_payment
            WHERE order_id = billing_order.id AND tenant_id = billing_order.tenant_id
              AND state = %s AND NOT is_surplus ORDER BY id LIMIT 1) AS paid_by
  FROM billing_order WHERE id = %s FOR UPDATE
"""


def lock_order_paid(order_id: int) -> Order:
    """Return an order, locked, with ``paid_by``: the provider that brought its money, None where nothing came so.

    The caller holds the tenant's lock, which keeps payments as they are. Raises Order.DoesNotExist.
    """
    found = select_rows(Order, _PAID_ORDER, [PaymentState.SUCCEEDED.value, order_id])
    if not found:
        raise Order.DoesNotExist
    return found[0]


def lock_payments() -> QuerySet[Payment]:
    """Return payments that are locked when read, in the order of their ids."""
    return Payment.objects.select_for_update(of=("self",)).order_by("pk")


def lock_payments_free() -> QuerySet[Payment]:
    """Return payments that are locked when read, without those that another worker holds."""
    return Payment.objects.select_for_update(skip_locked=True, of=("self",))


def lock_refunds() -> QuerySet[Refund]:
    """Return refunds that are locked when read, in the order of their ids."""
    return Refund.objects.select_for_update(of=("self",)).order_by("pk")


def lock_refunds_free() -> QuerySet[Refund]:
    """Return refunds that are locked when read, without those that another worker holds."""
    return Refund.objects.select_for_update(skip_locked=True, of=("self",))


def lock_reconciliations() -> QuerySet[Reconciliation]:
    """Return days of providers that are locked when read."""
    return Reconciliation.objects.select_for_update(of=("self",)).order_by("pk")


def lock_differences() -> QuerySet[Difference]:
    """Return differences that are locked when read, in the order of their ids."""
    return Difference.objects.select_for_update(of=("self",)).order_by("pk")


def lock_bank_serial(serial: str) -> None:
    """Let one transaction at a time book what the bank calls ``serial``, whoever's money it is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"bank:{serial}"])


def lock_coupons() -> QuerySet[Coupon]:
    """Return coupons that are locked when read, in the order of their ids. Only staff changes their budget."""
    return Coupon.objects.select_for_update(of=("self",)).order_by("pk")


def lock_coupon_grants() -> QuerySet[CouponGrant]:
    """Return coupon grants that are locked when read, in the order of their ids, with their coupons."""
    grants = CouponGrant.objects.select_for_update(of=("self",)).select_related("coupon")
    return grants.order_by("pk")


def lock_vouchers() -> QuerySet[Voucher]:
    """Return vouchers that are locked when read, in the order of their ids."""
    return Voucher.objects.select_for_update(of=("self",)).order_by("pk")


def lock_voucher_uses() -> QuerySet[VoucherUse]:
    """Return uses that are locked when read. The caller has locked their vouchers."""
    return VoucherUse.objects.select_for_update(of=("self",)).order_by("pk")


def lock_invoices() -> QuerySet[Invoice]:
    """Return invoices that are locked when read, in the order of their ids."""
    return Invoice.objects.select_for_update(of=("self",)).order_by("pk")


def lock_holds() -> QuerySet[BalanceHold]:
    """Return holds that are locked when read, in the order of their ids."""
    return BalanceHold.objects.select_for_update(of=("self",)).order_by("pk")


def lock_accounts(tenant_id: int, kinds: Collection[str]) -> dict[str, LedgerAccount]:
    """Return the tenant's accounts of ``kinds`` by kind, locked; those that do not exist yet are opened."""
    wanted = sorted(kinds)
    accounts = _locked_accounts(tenant_id, wanted)
    if missing := [kind for kind in wanted if kind not in accounts]:
        LedgerAccount.objects.bulk_create(
            [LedgerAccount(tenant_id=tenant_id, kind=kind) for kind in missing],
            ignore_conflicts=True,
        )
        accounts = _locked_accounts(tenant_id, wanted)
    return accounts


def _locked_accounts(tenant_id: int, kinds: Collection[str]) -> dict[str, LedgerAccount]:
    rows = LedgerAccount.objects.select_for_update(of=("self",)).filter(
        tenant_id=tenant_id, kind__in=kinds
    )
    return {row.kind: row for row in rows.order_by("kind")}
