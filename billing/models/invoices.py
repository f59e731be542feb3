"""Invoices of paid orders (domain.md §4)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from billing.models.orders import Order
from billing.states import INVOICE_MOVES, LIVE_INVOICE_STATES, InvoiceState
from core.files import private_path
from core.models import Attributed, TenantOwned, Timestamped


class Invoice(TenantOwned, Timestamped, Attributed):
    """One invoice of one order, over what was paid and not refunded when it was asked for. CNY."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="invoices")
    title = models.CharField(_("发票抬头"), max_length=100)
    tax_number = models.CharField(_("税号"), max_length=20)
    email = models.EmailField(_("接收邮箱"))
    amount = models.DecimalField(_("开票金额"), max_digits=12, decimal_places=2)
    state = models.CharField(
        _("状态"), max_length=10, choices=InvoiceState.choices, default=InvoiceState.REQUESTED
    )
    invoice_number = models.CharField(_("发票号码"), max_length=40, blank=True, default="")
    issued_at = models.DateTimeField(null=True, blank=True)
    issued_by = models.CharField(max_length=100, blank=True, default="")
    reversed_at = models.DateTimeField(null=True, blank=True)
    reversal_number = models.CharField(_("红字发票号码"), max_length=40, blank=True, default="")
    file = models.FileField(upload_to=private_path("invoices"), max_length=200, blank=True)
    file_name = models.CharField(max_length=200, blank=True, default="")
    content_type = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        verbose_name = _("发票")
        verbose_name_plural = _("发票")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "order"],
                condition=Q(state__in=LIVE_INVOICE_STATES),
                name="invoice_one_per_order",
            ),
            models.UniqueConstraint(
                fields=["tenant", "invoice_number"],
                condition=~Q(invoice_number=""),
                name="invoice_number_once",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="invoice_of_something"),
            models.CheckConstraint(
                condition=~Q(state=InvoiceState.ISSUED) | Q(issued_at__isnull=False),
                name="invoice_issued_has_instant",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["id"],
                condition=Q(state=InvoiceState.REQUESTED),
                name="invoice_to_issue",
            ),
            models.Index(fields=["tenant", "-id"], name="invoice_by_tenant"),
            models.Index(fields=["state", "-id"], name="invoice_by_state"),
            models.Index(
                fields=["invoice_number"],
                condition=~Q(invoice_number=""),
                name="invoice_by_number",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.title} {self.amount}"

    def can_become(self, state: str) -> bool:
        """Return True if the transition table allows the move."""
        return state in INVOICE_MOVES[self.state]

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return InvoiceState(self.state).colour
