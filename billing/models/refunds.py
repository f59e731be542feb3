"""Money on its way back: one refund per order and destination (domain.md §3 and §4)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from billing.models.orders import Order
from billing.models.payments import Payment
from billing.states import OPEN_REFUND_STATES, REFUND_MOVES, AccountKind, RefundState
from core.models import Attributed, TenantOwned, Timestamped


class Refund(TenantOwned, Timestamped, Attributed):
    """A sum that goes back to where it came from, or to the balance.

    ``method`` is how the money came, ``destination`` where it goes: the same, or the balance when the customer prefers
    it or the provider refuses. ``payment`` is the payment at the provider that is refunded.
    """

    number = models.CharField(_("退款单号"), max_length=32)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")
    payment = models.ForeignKey(
        Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="refunds"
    )
    method = models.CharField(_("原支付方式"), max_length=12, choices=AccountKind.choices)
    destination = models.CharField(_("退款去向"), max_length=12, choices=AccountKind.choices)
    amount = models.DecimalField(_("金额"), max_digits=12, decimal_places=2)
    state = models.CharField(_("状态"), max_length=12, choices=RefundState.choices)
    # The provider's number, or the bank's reference of a transfer.
    reference = models.CharField(max_length=64, blank=True, default="")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=100, blank=True, default="")
    # When the worker asks the provider next, and how often it has.
    next_try_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("退款")
        verbose_name_plural = _("退款")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "number"], name="refund_number_once"),
            models.UniqueConstraint(
                fields=["tenant", "order", "method", "payment"],
                nulls_distinct=False,
                name="refund_once_per_order_and_payment",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_of_something"),
            models.CheckConstraint(
                condition=~Q(state=RefundState.SUCCEEDED) | Q(done_at__isnull=False),
                name="refund_done_has_instant",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at"],
                condition=Q(state__in=[RefundState.READY, RefundState.PROCESSING]),
                name="refund_due",
            ),
            models.Index(
                fields=["state", "-id"],
                condition=Q(state__in=OPEN_REFUND_STATES),
                name="refund_open",
            ),
            models.Index(
                fields=["destination", "done_at"],
                condition=Q(state=RefundState.SUCCEEDED),
                name="refund_of_day",
            ),
            models.Index(fields=["-id"], name="refund_newest"),
            models.Index(fields=["number"], name="refund_by_number"),
            models.Index(fields=["tenant", "order"], name="refund_by_order"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.number} {self.amount}"

    def can_become(self, state: str) -> bool:
        """Return True if the transition table allows the move."""
        return state in REFUND_MOVES[self.state]

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return RefundState(self.state).colour


class RefundEvent(TenantOwned, Timestamped, Attributed):
    """One line of a refund's history."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="history")
    from_state = models.CharField(
        max_length=12, choices=RefundState.choices, blank=True, default=""
    )
    to_state = models.CharField(max_length=12, choices=RefundState.choices)
    note = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("退款记录")
        verbose_name_plural = _("退款记录")
        indexes: ClassVar = [models.Index(fields=["tenant", "refund", "id"], name="refund_history")]

    @override
    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"
