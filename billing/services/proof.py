"""The nightly proof of the book (domain.md §4): what the rows say against what they must add up to.

Each check is one statement over a range of tenants: it sees one snapshot, and its cost is bounded by the range.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max, Min
from django.urls import reverse

from accounts.models import Tenant
from billing.models import LedgerAccount, LedgerProof
from core.clock import local
from messaging.services import notify

logger = logging.getLogger(__name__)
TENANTS_AT_ONCE = 200
FINDINGS_PER_CHECK = 50
FINDINGS_KEPT = 1000

# Every statement returns (tenant, subject, what the rows must add up to, what stands there), only where these differ.
OF_TENANTS = {
    "balance": """
        SELECT a.tenant_id, a.kind, coalesce(l.total, 0), a.balance
          FROM billing_ledgeraccount a
          LEFT JOIN (SELECT account_id, sum(amount) AS total FROM billing_ledgerleg
                      WHERE tenant_id BETWEEN %(low)s AND %(high)s GROUP BY account_id) l ON l.account_id = a.id
         WHERE a.tenant_id BETWEEN %(low)s AND %(high)s AND a.balance <> coalesce(l.total, 0)""",
    "posting": """
        SELECT t.tenant_id, t.id, 0, coalesce(sum(l.amount), 0)
          FROM billing_ledgertransaction t
          LEFT JOIN billing_ledgerleg l ON l.transaction_id = t.id AND l.tenant_id = t.tenant_id
         WHERE t.tenant_id BETWEEN %(low)s AND %(high)s
         GROUP BY t.tenant_id, t.id HAVING coalesce(sum(l.amount), 0) <> 0 OR count(l.id) < 2""",
    "held": """
        SELECT tenant_id, 'held', coalesce(h.total, 0), coalesce(a.balance, 0)
          FROM (SELECT tenant_id, balance FROM billing_ledgeraccount
                 WHERE kind = 'held' AND tenant_id BETWEEN %(low)s AND %(high)s) a
          FULL JOIN (SELECT tenant_id, sum(amount) AS total FROM billing_balancehold
                      WHERE state = 'held' AND tenant_id BETWEEN %(low)s AND %(high)s GROUP BY tenant_id) h
         USING (tenant_id)
         WHERE coalesce(h.total, 0) <> coalesce(a.balance, 0)""",
    "refunding": """
        SELECT tenant_id, 'refunding', coalesce(r.total, 0), coalesce(a.balance, 0)
          FROM (SELECT tenant_id, balance FROM billing_ledgeraccount
                 WHERE kind = 'refunding' AND tenant_id BETWEEN %(low)s AND %(high)s) a
          FULL JOIN (SELECT tenant_id, sum(amount) AS total FROM billing_refund
                      WHERE state <> 'succeeded' AND tenant_id BETWEEN %(low)s AND %(high)s GROUP BY tenant_id) r
         USING (tenant_id)
         WHERE coalesce(r.total, 0) <> coalesce(a.balance, 0)""",
    "refunded": """
        SELECT p.tenant_id, p.number, CASE WHEN p.state = 'succeeded' THEN p.amount ELSE 0 END, r.total
          FROM (SELECT tenant_id, payment_id, sum(amount) AS total FROM billing_refund
                 WHERE payment_id IS NOT NULL AND tenant_id BETWEEN %(low)s AND %(high)s
                 GROUP BY tenant_id, payment_id) r
          JOIN billing_payment p ON p.id = r.payment_id AND p.tenant_id = r.tenant_id
         WHERE r.total > CASE WHEN p.state = 'succeeded' THEN p.amount ELSE 0 END""",
    "undelivered": """
        SELECT o.tenant_id, o.number, o.amount - o.coupon_amount - o.voucher_amount, coalesce(r.total, 0)
          FROM billing_order o
          LEFT JOIN (SELECT r.order_id, sum(r.amount) AS total
                       FROM billing_refund r LEFT JOIN billing_payment p ON p.id = r.payment_id
                      WHERE r.tenant_id BETWEEN %(low)s AND %(high)s AND NOT coalesce(p.is_surplus, false)
                      GROUP BY r.order_id) r ON r.order_id = o.id
         WHERE o.state = 'refunded' AND o.tenant_id BETWEEN %(low)s AND %(high)s
           AND o.amount - o.coupon_amount - o.voucher_amount <> coalesce(r.total, 0)""",
    "voucher": """
        SELECT v.tenant_id, v.number, v.amount - coalesce(u.total, 0), v.balance
          FROM billing_voucher v
          LEFT JOIN (SELECT voucher_id, sum(amount) AS total FROM billing_voucheruse
                      WHERE state IN ('held', 'captured') AND tenant_id BETWEEN %(low)s AND %(high)s
                      GROUP BY voucher_id) u ON u.voucher_id = v.id
         WHERE v.tenant_id BETWEEN %(low)s AND %(high)s AND v.balance <> v.amount - coalesce(u.total, 0)""",
}
OF_COUPONS = """
    SELECT NULL::bigint, code, budget, reserved FROM billing_coupon WHERE reserved > budget OR reserved < 0"""


@dataclass(frozen=True)
class Finding:
    """Something that does not hold: of which tenant (none for a coupon), about what, in CNY."""

    check: str
    tenant: int | None
    subject: str
    expected: str
    found: str


def tenant_ranges() -> Iterator[tuple[int, int]]:
    """Yield ranges of tenants' ids that cover all tenants; ids are dense enough for ranges to be batches."""
    ends = Tenant.objects.aggregate(low=Min("id"), high=Max("id"))
    if ends["low"] is not None:
        for low in range(ends["low"], ends["high"] + 1, TENANTS_AT_ONCE):
            yield low, low + TENANTS_AT_ONCE - 1


def tenants_prove(low: int, high: int) -> tuple[int, list[Finding]]:
    """Check the books of the tenants with ids ``low`` to ``high``; return the number of accounts and what is wrong.

    Runs in staff's scope.
    """
    findings: list[Finding] = []
    for check, statement in OF_TENANTS.items():
        findings += _run(check, statement, {"low": low, "high": high})
    accounts = LedgerAccount.objects.filter(tenant_id__gte=low, tenant_id__lte=high)
    return accounts.count(), findings


def coupons_prove() -> list[Finding]:
    """Check that no coupon has promised more than its budget. Runs in staff's scope."""
    return _run("coupon", OF_COUPONS, {})


@transaction.atomic
def proof_record(*, accounts: int, findings: list[Finding], at: datetime) -> LedgerProof:
    """Keep what a night's proof found; operators and finance are told when something does not hold."""
    proof = LedgerProof.objects.create(
        accounts=accounts,
        findings=[asdict(finding) for finding in findings[:FINDINGS_KEPT]],
        created_at=at,
    )
    if findings:
        logger.error("the proof of the book found %d errors: %s", len(findings), findings[:3])
        notify(
            "billing.proof_failed",
            key=f"{proof.pk}",
            audience=["staff:operator", "staff:finance"],
            context={
                "day": f"{local(at):%Y-%m-%d}",
                "accounts": accounts,
                "count": len(findings),
                "checks": ", ".join(sorted({finding.check for finding in findings})),
            },
            staff_url=reverse("billing:finance_proof_list"),
            tenant_id=None,
            at=at,
        )
    return proof


def _run(check: str, statement: str, parameters: dict[str, int]) -> list[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} ORDER BY 1, 2 LIMIT {FINDINGS_PER_CHECK}", parameters)
        return [
            Finding(check, tenant, str(subject), f"{expected:.2f}", f"{found:.2f}")
            for tenant, subject, expected, found in cursor.fetchall()
        ]
