"""Demo data of finance's desk: payments that came twice, a transfer that is awaited, what the nightly checks found."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from accounts.access import Actor
from accounts.models import Tenant, User
from billing.models import LedgerProof, Order, Payment
from billing.models.payments import CURRENCY
from billing.providers.base import RecordKind, TradeRecord
from billing.services.placing import order_create_renewal
from billing.services.proof import coupons_prove, proof_record, tenant_ranges, tenants_prove
from billing.services.reconciliation import reconciliation_compare
from billing.services.transfers import transfer_begin, transfer_confirm
from billing.states import AccountKind, OrderType
from core.clock import local
from core.numbering import order_number
from core.tenancy import scope
from supportplans.selectors.catalogue import agreement_at

# Who confirmed what came twice: somebody else than the demo's finance, who may therefore approve.
COLLEAGUE = Actor(user=None, name="钱芳", title="财务", is_staff=True)
# Customers whose bank has sent the money of their plan twice, and hours ago: a large sum and a small one.
PAID_TWICE = (("云帆物流", 26), ("青禾教育", 5))
RENEWS = "青禾教育"
UNKNOWN_RECORD = ("20261122093015000123", "LOCAL20261122000777", Decimal("300.00"))
DAYS_COMPARED = (1, 2)


def load(at: datetime, tenants: dict[str, Tenant], owners: dict[int, User]) -> None:
    """Make what is missing."""
    with scope.staff():
        if LedgerProof.objects.exists():
            return
        for name, hours in PAID_TWICE:
            _pay_twice(tenants[name], at - timedelta(hours=hours))
    if settings.PAYMENT_TRANSFER:
        _renew_by_transfer(tenants[RENEWS], owners, at - timedelta(hours=3))
    with scope.staff():
        _reconcile(at)
        _prove(at)


def _pay_twice(tenant: Tenant, at: datetime) -> None:
    order = Order.objects.filter(tenant=tenant, type=OrderType.NEW).earliest("pk")
    payment = Payment.objects.create(
        tenant=tenant,
        order=order,
        provider=AccountKind.TRANSFER,
        number=order_number(at),
        amount=order.due,
        expires_at=at,
        created_at=order.created_at,
    )
    transfer_confirm(
        payment_id=payment.pk,
        amount=order.due,
        bank_serial=f"DEMO-TWICE-{payment.pk}",
        received_at=at,
        actor=COLLEAGUE,
        at=at,
    )


def _renew_by_transfer(tenant: Tenant, owners: dict[int, User], at: datetime) -> None:
    owner = owners[tenant.pk]
    actor = Actor(user=owner, name=owner.name, title="所有者", tenant_id=tenant.pk)
    with scope.customer(tenant.pk):
        order = order_create_renewal(
            tenant_id=tenant.pk,
            years=1,
            agreement_version=agreement_at(at).version,
            shown_amount=None,
            idempotency_key="demo-renewal",
            actor=actor,
            at=at,
        )
        transfer_begin(order_id=order.pk, actor=actor, at=at)


def _reconcile(at: datetime) -> None:
    """Compare two days; the newer one lists a payment that nobody here knows."""
    newest = local(at).date() - timedelta(days=DAYS_COMPARED[0])
    number, trade_no, amount = UNKNOWN_RECORD
    unknown = TradeRecord(
        kind=RecordKind.PAYMENT,
        number=number,
        amount=amount,
        currency=CURRENCY,
        trade_no=trade_no,
        refund_number="",
        at=at - timedelta(days=DAYS_COMPARED[0]),
    )
    for back in reversed(DAYS_COMPARED):
        day = local(at).date() - timedelta(days=back)
        records = [unknown] if day == newest else []
        reconciliation_compare(provider=AccountKind.LOCAL, day=day, records=records, at=at)


def _prove(at: datetime) -> None:
    accounts, findings = 0, coupons_prove()
    for low, high in tenant_ranges():
        proved, wrong = tenants_prove(low, high)
        accounts += proved
        findings += wrong
    proof_record(accounts=accounts, findings=findings, at=at)
