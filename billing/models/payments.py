"""Attempts to pay at a provider, and what providers tell us."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from billing.models.orders import Order
from billing.states import LIVE_PAYMENT_STATES, PAYMENT_MOVES, NotificationOutcome, PaymentState
from core.models import TenantOwned, Timestamped

CURRENCY = "CNY"


class Payment(TenantOwned, Timestamped):
    """One attempt to pay an order at a provider, or by bank transfer.

    ``number`` is ours, ``trade_no`` the provider's or the bank's. ``amount`` is what was asked for; of a transfer that
    brought another sum, what it brought.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=12)
    number = models.CharField(max_length=32)
    trade_no = models.CharField(max_length=64, blank=True, default="")
    amount = models.DecimalField(_("金额"), max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3, default=CURRENCY)
    state = models.CharField(
        _("状态"), max_length=10, choices=PaymentState.choices, default=PaymentState.OPEN
    )
    expires_at = models.DateTimeField()
    # The money came, but not for the order: it was paid already, or dead, or the sum was another.
    is_surplus = models.BooleanField(default=False)
    # By the provider's clock, or the bank's.
    paid_at = models.DateTimeField(null=True, blank=True)
    # When the worker asks (or closes at) the provider next, and how often it has.
    next_poll_at = models.DateTimeField(null=True, blank=True)
    polls = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True, default="")
    # What the customer scans, where the provider makes a code, and until when the provider honours it.
    code_text = models.CharField(max_length=512, blank=True, default="")
    code_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("支付单")
        verbose_name_plural = _("支付单")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "number"], name="payment_number_once"),
            models.UniqueConstraint(
                fields=["tenant", "order"],
                condition=Q(state=PaymentState.OPEN),
                name="payment_one_active_per_order",
            ),
            models.UniqueConstraint(
                fields=["tenant", "order"],
                condition=Q(state=PaymentState.SUCCEEDED, is_surplus=False),
                name="payment_pays_order_once",
            ),
            models.UniqueConstraint(
                fields=["tenant", "provider", "trade_no"],
                condition=~Q(trade_no=""),
                name="payment_trade_once",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_of_something"),
            models.CheckConstraint(condition=Q(currency=CURRENCY), name="payment_in_cny"),
            models.CheckConstraint(
                condition=~Q(state=PaymentState.SUCCEEDED) | Q(paid_at__isnull=False),
                name="payment_success_has_instant",
            ),
            models.CheckConstraint(
                condition=Q(code_text="") | Q(code_until__isnull=False),
                name="payment_code_has_end",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["number", "provider"], name="payment_by_number"),
            models.Index(fields=["trade_no"], condition=~Q(trade_no=""), name="payment_by_trade"),
            models.Index(
                fields=["next_poll_at"],
                condition=Q(state__in=LIVE_PAYMENT_STATES),
                name="payment_to_poll",
            ),
            models.Index(fields=["state", "-id"], name="payment_by_state"),
            models.Index(fields=["provider", "-id"], name="payment_by_provider"),
            models.Index(fields=["created_at"], name="payment_by_time"),
            models.Index(
                fields=["provider", "paid_at"],
                condition=Q(state=PaymentState.SUCCEEDED),
                name="payment_of_day",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.provider} {self.number}"

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return PaymentState(self.state).colour

    def can_become(self, state: str) -> bool:
        """Return True if the transition table allows the move."""
        return state in PAYMENT_MOVES[self.state]

    def has_code(self, at: datetime) -> bool:
        """Return True if there is a code that can be scanned at ``at``."""
        return self.code_until is not None and self.code_until > at


class PaymentNotification(models.Model):
    """What a provider sent us, as it came. Staff and workers see it; it belongs to no tenant until it is proved."""

    provider = models.CharField(max_length=12)
    received_at = models.DateTimeField()
    body = models.TextField()
    verified = models.BooleanField()
    # The provider's own id of the notification; the same one again changes nothing.
    reference = models.CharField(max_length=64, blank=True, default="")
    payment = models.ForeignKey(
        Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="notifications"
    )
    outcome = models.CharField(max_length=12, choices=NotificationOutcome.choices)

    class Meta:
        verbose_name = _("支付通知")
        verbose_name_plural = _("支付通知")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "reference"],
                condition=Q(verified=True),
                name="payment_notification_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-received_at"], name="payment_notification_newest")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.provider} {self.reference}"
