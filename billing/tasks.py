"""What the workers do for billing. Every task may run twice; providers are asked outside of any transaction."""

from __future__ import annotations

import logging
from datetime import date

from celery import shared_task

from billing.exceptions import PaymentMismatch, PaymentUnknown, ProviderUnavailable
from billing.providers.base import ProviderError, QrCode, TradeStatus
from billing.providers.registry import configured, provider_get
from billing.selectors.reconciliation import days_to_reconcile, proof_due
from billing.services import (
    orders,
    payments,
    proof,
    provisioning,
    reconciliation,
    refund_asking,
    renewals,
    transfers,
    vouchers,
)
from billing.services.payments import Ask
from billing.services.refund_asking import RefundMismatch
from billing.states import AccountKind
from core import clock
from core.tenancy import scope

logger = logging.getLogger(__name__)
FOLLOW_BATCH = 50


@shared_task(name="billing.order_provision", scope="staff")
def order_provision(order_id: int) -> None:
    """Fulfil a paid order."""
    provisioning.order_provision(order_id=order_id, at=clock.now())


@shared_task(name="billing.orders_provision_due", scope="none")
def orders_provision_due() -> None:
    """Find paid orders that nobody has fulfilled: a message was lost, a worker died, or something stopped it."""
    provisioning.orders_provision_due(at=clock.now())


@shared_task(name="billing.orders_expire_due", scope="none")
def orders_expire_due() -> None:
    """End unpaid orders whose window is over."""
    orders.orders_expire_due(at=clock.now())


@shared_task(name="billing.auto_renewals_run", scope="none")
def auto_renewals_run() -> None:
    """Renew what renews by itself and ends soon."""
    renewals.auto_renewals_run(at=clock.now())


@shared_task(name="billing.coupons_expire_due", scope="none")
def coupons_expire_due() -> None:
    """End coupons whose validity is over and free what they reserved."""
    vouchers.coupons_expire_due(at=clock.now())


@shared_task(name="billing.payment_follow", scope="none")
def payment_follow(payment_id: int) -> None:
    """Ask the provider about one attempt now: the customer came back, it is to be closed, or its code is wanted."""
    _follow(payment_id)


@shared_task(name="billing.payments_follow_due", scope="none")
def payments_follow_due() -> None:
    """Ask the providers about attempts that are open, and close those that are to be closed."""
    for _ in range(FOLLOW_BATCH):
        if not _follow(None):
            return


def _follow(payment_id: int | None) -> bool:
    """Claim, ask, apply; return False when there was nothing to claim."""
    with scope.staff():
        claim = payments.payment_claim(at=clock.now(), payment_id=payment_id)
    if claim is None:
        return False
    if claim.provider == AccountKind.TRANSFER:
        with scope.staff():
            transfers.transfer_close(payment_id=claim.payment_id, at=clock.now())
        return True
    try:
        _ask(claim)
    except (ProviderError, ProviderUnavailable, PaymentMismatch, PaymentUnknown) as error:
        logger.warning("payment %s: %s: %s", claim.number, type(error).__name__, error)
        with scope.staff():
            payments.payment_ask_failed(
                payment_id=claim.payment_id, error=f"{type(error).__name__}: {error}"
            )
    return True


def _ask(claim: payments.Claim) -> None:
    """Ask the provider outside of any transaction and write what it said. Raises what either refuses."""
    provider = provider_get(claim.provider)
    if claim.ask != Ask.BEGIN or claim.had_code:
        close = claim.ask == Ask.CLOSE
        report = provider.close(claim.number) if close else provider.query(claim.number)
        with scope.staff():
            payments.payment_apply(report, provider_code=claim.provider, at=clock.now())
        if report.status not in {TradeStatus.OPEN, TradeStatus.UNKNOWN}:
            return
    if claim.ask == Ask.BEGIN:
        opening = provider.begin(claim.request)
        if isinstance(opening, QrCode):
            with scope.staff():
                payments.payment_code_keep(
                    payment_id=claim.payment_id, code=opening, at=clock.now()
                )


@shared_task(name="billing.refund_follow", scope="none")
def refund_follow(refund_id: int) -> None:
    """Ask the provider about one refund now: it has just become ready."""
    _follow_refund(refund_id)


@shared_task(name="billing.refunds_follow_due", scope="none")
def refunds_follow_due() -> None:
    """Ask the providers for refunds that are ready, and about those that are under way."""
    for _ in range(FOLLOW_BATCH):
        if not _follow_refund(None):
            return


@shared_task(name="billing.reconcile_due", scope="none")
def reconcile_due() -> None:
    """Compare the days that are over with the providers' records, as soon as these are ready."""
    with scope.staff():
        days = days_to_reconcile(configured().keys(), clock.now())
    for provider, day in days:
        try:
            reconcile(provider, day.isoformat())
        except Exception:  # one provider's trouble must not keep the others from being compared
            logger.exception("%s of %s could not be compared", provider, day)


@shared_task(name="billing.reconcile", scope="none")
def reconcile(provider: str, day: str) -> None:
    """Compare one day (``YYYY-MM-DD``, of Shanghai) of one provider; ask at once about what it has and we have not."""
    try:
        records = provider_get(provider).records(date.fromisoformat(day))
    except (ProviderError, ProviderUnavailable) as error:
        logger.info("records of %s of %s: %s: %s", provider, day, type(error).__name__, error)
        with scope.staff():
            reconciliation.reconciliation_fail(
                provider=provider,
                day=date.fromisoformat(day),
                error=f"{type(error).__name__}: {error}",
                at=clock.now(),
            )
        return
    with scope.staff():
        compared = reconciliation.reconciliation_compare(
            provider=provider, day=date.fromisoformat(day), records=records, at=clock.now()
        )
    for number in compared.payments:
        _look_after_payment(provider, number)
    for refund_id in compared.refunds:
        _follow_refund(refund_id, now=True)


@shared_task(name="billing.ledger_prove_due", scope="none")
def ledger_prove_due() -> None:
    """Prove the book once a night."""
    with scope.staff():
        is_due = proof_due(clock.now())
    if is_due:
        ledger_prove()


@shared_task(name="billing.ledger_prove", scope="none")
def ledger_prove() -> None:
    """Prove the book now, a batch of tenants per transaction."""
    with scope.staff():
        findings, ranges, accounts = proof.coupons_prove(), list(proof.tenant_ranges()), 0
    for low, high in ranges:
        with scope.staff():
            seen, found = proof.tenants_prove(low, high)
        accounts += seen
        findings += found
    with scope.staff():
        proof.proof_record(accounts=accounts, findings=findings, at=clock.now())


def _follow_refund(refund_id: int | None, *, now: bool = False) -> bool:
    """Claim, ask, apply; return False when there was nothing to claim."""
    at = clock.now()
    with scope.staff():
        claim = refund_asking.refund_claim(at=at, refund_id=refund_id, even_early=now)
    if claim is None:
        return False
    try:
        report = refund_asking.refund_ask(claim, provider_get(claim.provider), at=at)
        with scope.staff():
            refund_asking.refund_apply(report, refund_id=claim.refund_id, at=clock.now())
    except (ProviderError, ProviderUnavailable, RefundMismatch) as error:
        told = f"{type(error).__name__}: {error}"
        logger.warning("refund %s: %s", claim.request.refund_number, told)
        with scope.staff():
            refund_asking.refund_ask_failed(refund_id=claim.refund_id, error=told)
    return True


def _look_after_payment(provider: str, number: str) -> None:
    """The provider has it as paid and we have not: believe its signed reply, as for any open attempt."""
    try:
        report = provider_get(provider).query(number)
        with scope.staff():
            payments.payment_apply(report, provider_code=provider, at=clock.now())
    except (ProviderError, ProviderUnavailable, PaymentMismatch, PaymentUnknown) as error:
        logger.warning("payment %s: %s: %s", number, type(error).__name__, error)
