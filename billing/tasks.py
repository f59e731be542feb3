"""What the workers do for billing. Every task may run twice; providers are asked outside of any transaction."""

from __future__ import annotations

import logging

from celery import shared_task

from billing.exceptions import PaymentMismatch, PaymentUnknown, ProviderUnavailable
from billing.providers.base import ProviderError, QrCode, TradeStatus
from billing.providers.registry import provider_get
from billing.selectors.orders import orders_to_provision
from billing.services import orders, payments, provisioning, renewals, vouchers
from billing.services.payments import Ask
from core import clock
from core.tenancy import scope

logger = logging.getLogger(__name__)
FOLLOW_BATCH = 50


@shared_task(name="billing.order_provision", scope="none")
def order_provision(order_id: int) -> None:
    """Fulfil a paid order. Two transactions, so that the customer sees 开通中 and a crash between them is harmless."""
    with scope.staff():
        goes_on = provisioning.order_provision_begin(order_id=order_id, at=clock.now())
    if goes_on:
        with scope.staff():
            provisioning.order_provision_finish(order_id=order_id, at=clock.now())


@shared_task(name="billing.orders_provision_due", scope="none")
def orders_provision_due() -> None:
    """Find paid orders that nobody has fulfilled: their message was lost, or their worker died."""
    with scope.staff():
        left_behind = orders_to_provision(clock.now())
    for order_id in left_behind:
        try:
            order_provision(order_id)
        except Exception:  # one order that cannot be fulfilled must not keep the others waiting
            logger.exception("order %s could not be provisioned", order_id)


@shared_task(name="billing.orders_expire_due", scope="staff")
def orders_expire_due() -> None:
    """End unpaid orders whose window is over."""
    orders.orders_expire_due(at=clock.now())


@shared_task(name="billing.auto_renewals_run", scope="none")
def auto_renewals_run() -> None:
    """Renew what renews by itself and ends soon, each tenant in a transaction of its own."""
    with scope.staff():
        due = renewals.auto_renewals_due(at=clock.now())
    for tenant_id in due:
        try:
            with scope.staff():
                renewals.auto_renew(tenant_id=tenant_id, at=clock.now())
        except Exception:  # one account that cannot be renewed must not keep the others waiting
            logger.exception("tenant %s could not be renewed", tenant_id)


@shared_task(name="billing.coupons_expire_due", scope="staff")
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
