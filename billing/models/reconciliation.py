"""What is checked every day: the providers' records against ours, and the book against itself (domain.md §4)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from billing.models.payments import Payment
from billing.models.refunds import Refund
from billing.states import DifferenceKind
from core.models import Timestamped


class Reconciliation(Timestamped):
    """One provider's records of one local day, compared with ours. Staff's; it belongs to no tenant."""

    provider = models.CharField(_("支付渠道"), max_length=12)
    day = models.DateField(_("账期"))
    compared = models.PositiveIntegerField(_("核对笔数"), default=0)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("对账")
        verbose_name_plural = _("对账")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "day"], name="reconciled_once_per_day"),
        ]
        indexes: ClassVar = [models.Index(fields=["-day"], name="reconciliation_newest")]

    @override
    def __str__(self) -> str:
        return f"{self.provider} {self.day}"


class Difference(Timestamped):
    """A record that the provider and we do not have alike. Finance settles it with a note."""

    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.PROTECT, related_name="differences"
    )
    kind = models.CharField(_("差异"), max_length=14, choices=DifferenceKind.choices)
    number = models.CharField(_("单号"), max_length=64)
    trade_no = models.CharField(_("渠道流水号"), max_length=64, blank=True, default="")
    payment = models.ForeignKey(
        Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    refund = models.ForeignKey(
        Refund, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ours = models.DecimalField(
        _("本地金额"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    theirs = models.DecimalField(
        _("渠道金额"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=100, blank=True, default="")
    note = models.CharField(_("处理说明"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("对账差异")
        verbose_name_plural = _("对账差异")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reconciliation", "kind", "number"], name="difference_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-id"], condition=Q(settled_at=None), name="difference_open")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class LedgerProof(Timestamped):
    """The nightly proof of the book: what was checked and what did not hold."""

    accounts = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list)

    class Meta:
        verbose_name = _("账本核验")
        verbose_name_plural = _("账本核验")
        indexes: ClassVar = [models.Index(fields=["-created_at"], name="ledger_proof_newest")]

    @override
    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d} {len(self.findings)}"
