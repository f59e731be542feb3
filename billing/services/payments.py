"""Attempts to pay at a provider. Money is believed only on a verified notification or a signed reply (domain.md §4)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.db.models import Subquery
from django.urls import reverse

from accounts.access import SYSTEM, Actor
from billing import exceptions as errors
from billing.locks import lock_orders, lock_payments, lock_payments_free
from billing.models import Order, Payment, PaymentNotification
from billing.models.payments import CURRENCY
from billing.providers.base import (
    NotificationInvalid,
    PaymentRequest,
    Provider,
    QrCode,
    Redirect,
    TradeReport,
    TradeStatus,
)
from billing.providers.registry import limit_of, provider_get
from billing.selectors.payments import refused_since
from billing.services.history import order_touch
from billing.services.receipts import attempt_ended, payment_receive
from billing.states import (
    LIVE_PAYMENT_STATES,
    AccountKind,
    NotificationOutcome,
    PaymentState,
)
from core.jobs import enqueue
from core.numbering import order_number
from supportplans.locks import lock_tenant_of

logger = logging.getLogger(__name__)
# Pauses between questions to the provider: soon after the customer has left, rarely after an hour.
POLL_SECONDS = (15, 15, 30, 60, 120, 300, 600)
BODY_KEPT = 4000
# Anybody can post rubbish here; more than this is only logged.
REFUSED_KEPT_PER_HOUR = 200


class Ask(StrEnum):
    """What a worker asks a provider about an attempt."""

    BEGIN = "begin"  # make the code that the customer scans
    QUERY = "query"
    CLOSE = "close"


@dataclass(frozen=True)
class Claim:
    """A payment that this worker asks its provider about. ``had_code``: the customer may have paid by an old code."""

    payment_id: int
    provider: str
    number: str
    ask: Ask
    request: PaymentRequest
    had_code: bool


@dataclass(frozen=True)
class Begun:
    """An attempt that is open. Without an ``address`` a worker makes the code that the attempt's page waits for."""

    payment: Payment
    address: str


@transaction.atomic
def payment_begin(*, order_id: int, provider_code: str, actor: Actor, at: datetime) -> Begun:
    """Open an attempt at the provider (or return to the open one) and give the address to send the customer to.

    One active attempt per order: one at another provider or over another sum is closed first. Nothing outside is asked:
    where a provider must make a code first, a worker has it made. Raises OrderNotPayable, ProviderUnavailable,
    AboveMethodLimit.
    """
    provider = provider_get(provider_code)
    order = lock_orders().select_related("plan").get(pk=order_id)
    if not order.is_payable or order.is_free or order.pays_until <= at:
        raise errors.OrderNotPayable
    limit = limit_of(provider_code)
    if limit is not None and order.due > limit:
        raise errors.AboveMethodLimit(limit)
    first_poll = at + timedelta(seconds=POLL_SECONDS[0])
    active = attempt_open(order=order, provider_code=provider_code, next_poll_at=first_poll, at=at)
    if provider.begins_locally:
        opening = provider.begin(_request(order, active))
        if isinstance(opening, Redirect):
            return Begun(active, opening.url)
    if not active.has_code(at):
        enqueue("billing.payment_follow", payment_id=active.pk)
    return Begun(active, "")


def attempt_open(
    *, order: Order, provider_code: str, next_poll_at: datetime | None, at: datetime
) -> Payment:
    """Return the order's open attempt of this kind and sum, or open it; another is closed. The caller has the lock."""
    active = lock_payments().filter(order=order, state=PaymentState.OPEN).first()
    if active is not None and (active.provider, active.amount) == (provider_code, order.due):
        return active
    if active is not None:
        active.state = PaymentState.CLOSING
        active.next_poll_at = at
        active.save(update_fields=["state", "next_poll_at"])
        enqueue("billing.payment_follow", payment_id=active.pk)
    return Payment.objects.create(
        tenant_id=order.tenant_id,
        order=order,
        provider=provider_code,
        number=order_number(at),
        amount=order.due,
        expires_at=order.pays_until,
        next_poll_at=next_poll_at,
        created_at=at,
    )


@transaction.atomic
def payment_apply(report: TradeReport, *, provider_code: str, at: datetime) -> NotificationOutcome:
    """Do what a provider's verified word asks for, once, in whatever order words arrive. Runs in staff's scope.

    Raises PaymentUnknown, PaymentMismatch; then nothing was changed.
    """
    named = {"provider": provider_code, "number": report.number}
    try:
        lock_tenant_of(Payment, **named)
    except Payment.DoesNotExist:
        raise errors.PaymentUnknown from None
    order_id = Payment.objects.filter(**named).values("order_id")
    order = lock_orders().select_related("plan").get(pk=Subquery(order_id))
    payment = lock_payments().get(**named)
    _must_match(report, payment, provider_get(provider_code))
    if payment.state == PaymentState.SUCCEEDED:
        return (
            NotificationOutcome.REPEATED
            if report.status == TradeStatus.PAID
            else NotificationOutcome.UNCHANGED
        )
    if report.status == TradeStatus.PAID:
        payment.trade_no, payment.paid_at = report.trade_no, report.paid_at
        payment_receive(payment, order, actor=SYSTEM, at=at)
        return NotificationOutcome.APPLIED
    ended = {TradeStatus.FAILED: PaymentState.FAILED, TradeStatus.CLOSED: PaymentState.CLOSED}.get(
        report.status
    )
    if ended is None or not payment.can_become(ended):
        return NotificationOutcome.UNCHANGED
    payment.state = ended
    payment.trade_no = report.trade_no
    payment.next_poll_at = None
    payment.save(update_fields=["state", "trade_no", "next_poll_at"])
    order_touch(order, at=at, also=[])
    attempt_ended(order, at=at)
    return NotificationOutcome.APPLIED


def notification_receive(
    *, provider_code: str, body: bytes, headers: dict[str, str], at: datetime
) -> tuple[bool, PaymentNotification]:
    """Keep a provider's notification and do what it says; return whether the provider may stop sending it.

    Runs in staff's scope. One that cannot be verified is kept as refused and changes nothing. Raises
    ProviderUnavailable.
    """
    provider = provider_get(provider_code)
    text = body[:BODY_KEPT].decode(errors="replace").replace("\x00", "")
    kept = PaymentNotification(
        provider=provider_code,
        received_at=at,
        body=text,
        verified=False,
        outcome=NotificationOutcome.UNVERIFIED,
    )
    try:
        report = provider.read_notification(body, headers, at=at)
    except NotificationInvalid as error:
        logger.warning("notification of %s refused: %s", provider_code, error)
        if refused_since(at - timedelta(hours=1)) < REFUSED_KEPT_PER_HOUR:
            kept.save()
        return False, kept
    return _notification_apply(kept, report, at)


@transaction.atomic
def _notification_apply(
    kept: PaymentNotification, report: TradeReport, at: datetime
) -> tuple[bool, PaymentNotification]:
    known = PaymentNotification.objects.filter(
        provider=kept.provider, verified=True, reference=report.reference
    )
    if existing := known.first():
        return existing.outcome not in {
            NotificationOutcome.MISMATCH,
            NotificationOutcome.UNKNOWN,
        }, existing
    kept.verified, kept.reference = True, report.reference
    try:
        kept.outcome = payment_apply(report, provider_code=kept.provider, at=at)
    except errors.PaymentUnknown:
        kept.outcome = NotificationOutcome.UNKNOWN
    except errors.PaymentMismatch:
        kept.outcome = NotificationOutcome.MISMATCH
    else:
        kept.payment = Payment.objects.get(provider=kept.provider, number=report.number)
    # Two copies at once: the locks of payment_apply made the second one a repetition; here it gives way to the first.
    PaymentNotification.objects.bulk_create([kept], ignore_conflicts=True)
    if kept.outcome in {NotificationOutcome.UNKNOWN, NotificationOutcome.MISMATCH}:
        logger.error("notification of %s about %s: %s", kept.provider, report.number, kept.outcome)
        return False, kept
    return True, kept


# What workers do, in three steps: claim (a transaction), ask the provider (none), apply the answer (a transaction).


@transaction.atomic
def payment_claim(*, at: datetime, payment_id: int | None = None) -> Claim | None:
    """Take one attempt that is due (or the named one) and keep others from it for a while. Runs in staff's scope."""
    live = lock_payments_free().filter(state__in=LIVE_PAYMENT_STATES)
    # Nobody can be asked about a transfer: finance sees it on the bank's statement.
    live = live.exclude(provider=AccountKind.TRANSFER, state=PaymentState.OPEN)
    wanted = {"next_poll_at__lte": at} if payment_id is None else {"pk": payment_id}
    payment = live.filter(**wanted).order_by("next_poll_at").select_related("order__plan").first()
    if payment is None:
        return None
    ask = Ask.CLOSE if payment.state == PaymentState.CLOSING else Ask.QUERY
    if ask == Ask.QUERY and not payment.has_code(at) and not _begins_locally(payment.provider):
        ask = Ask.BEGIN
    pause = POLL_SECONDS[min(payment.polls, len(POLL_SECONDS) - 1)]
    payment.polls = min(payment.polls + 1, 30_000)
    payment.next_poll_at = at + timedelta(seconds=pause)
    payment.save(update_fields=["polls", "next_poll_at"])
    return Claim(
        payment.pk,
        payment.provider,
        payment.number,
        ask=ask,
        request=_request(payment.order, payment),
        had_code=bool(payment.code_text),
    )


@transaction.atomic
def payment_code_keep(*, payment_id: int, code: QrCode, at: datetime) -> None:
    """Keep the code that the customer scans; one that comes after the attempt has ended is thrown away."""
    payment = lock_payments().get(pk=payment_id)
    if payment.state != PaymentState.OPEN:
        logger.info("payment %s: its code came after its end", payment.number)
        return
    payment.code_text, payment.code_until, payment.error = code.text, at + code.lifetime, ""
    payment.save(update_fields=["code_text", "code_until", "error"])


@transaction.atomic
def payment_ask_failed(*, payment_id: int, error: str) -> None:
    """Keep why the provider could not be asked; the next sweep asks again."""
    Payment.objects.filter(pk=payment_id).update(error=error[:200])


def _begins_locally(code: str) -> bool:
    """Return False only if a worker must have a code made; a method that is configured no more needs none."""
    try:
        return provider_get(code).begins_locally
    except errors.ProviderUnavailable:
        return True


def _request(order: Order, payment: Payment) -> PaymentRequest:
    back = reverse("billing:payment_return", args=[order.number])
    notify_path = reverse("billing:payment_notify", args=[payment.provider])
    return PaymentRequest(
        number=payment.number,
        amount=payment.amount,
        currency=payment.currency,
        subject=f"客户支持计划 {order.plan.name}" if order.plan else "账户余额充值",
        expires_at=payment.expires_at,
        notify_url=f"{settings.PAYMENT_NOTIFY_ORIGIN}{notify_path}",
        return_url=f"{settings.SITE_URL}{back}",
    )


def _must_match(report: TradeReport, payment: Payment, provider: Provider) -> None:
    """Merchant, and for money its amount and currency, must be those of our payment. Raises PaymentMismatch."""
    if report.merchant != provider.merchant:
        raise errors.PaymentMismatch("merchant")
    if report.status == TradeStatus.PAID and (report.amount, report.currency) != (
        payment.amount,
        CURRENCY,
    ):
        raise errors.PaymentMismatch("amount")
