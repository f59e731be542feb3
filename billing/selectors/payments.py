"""Reading payments and what providers have told."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from billing.models import Order, Payment, PaymentNotification
from billing.states import LIVE_PAYMENT_STATES, NotificationOutcome, PaymentState

REFUSED_SHOWN = 20


def live_payments(order: Order) -> QuerySet[Payment]:
    """Return the attempts of an order that are not over at their provider."""
    return Payment.objects.filter(order=order, state__in=LIVE_PAYMENT_STATES)


def payment_open(order: Order) -> Payment | None:
    """Return the attempt of an order that can still be paid, if any."""
    return Payment.objects.filter(order=order, state=PaymentState.OPEN).first()


def order_payments(order: Order) -> QuerySet[Payment]:
    """Return the attempts of an order, newest first."""
    return Payment.objects.filter(order=order).order_by("-id")


def notifications_refused() -> list[PaymentNotification]:
    """Return the newest notifications that could not be trusted or matched; finance looks into them."""
    bad = [
        NotificationOutcome.UNVERIFIED,
        NotificationOutcome.UNKNOWN,
        NotificationOutcome.MISMATCH,
    ]
    return list(
        PaymentNotification.objects.filter(outcome__in=bad).order_by("-received_at")[:REFUSED_SHOWN]
    )


def refused_since(at: datetime) -> int:
    """Return how many notifications without a valid signature were kept since ``at``."""
    unverified = PaymentNotification.objects.filter(received_at__gt=at, verified=False)
    return unverified.count()
