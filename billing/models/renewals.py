"""What a customer has decided about the next term, and what operators allow beyond the rules."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from billing.models.orders import Order
from core.models import Attributed, TenantOwned, Timestamped


class AutoRenewal(TenantOwned, Timestamped, Attributed):
    """Whether the plan renews by itself, from the balance (domain.md §2). Off unless the owner turns it on."""

    enabled = models.BooleanField(_("自动续订"), default=False)
    years = models.PositiveSmallIntegerField(_("续订时长（年）"), default=1)
    # The version of the service agreement that was accepted when it was turned on.
    agreement_version = models.CharField(max_length=20, blank=True, default="")
    # The local day of the last attempt, and why it failed.
    tried_on = models.DateField(null=True, blank=True)
    failure = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        verbose_name = _("自动续订设置")
        verbose_name_plural = _("自动续订设置")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant"], name="auto_renewal_once"),
            models.CheckConstraint(condition=Q(years__gte=1), name="auto_renewal_of_whole_years"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.tenant_id} {self.enabled}"


class ChangeAllowance(TenantOwned, Timestamped, Attributed):
    """An operator allows one more change of the plan than the rule against frequent changes, with a reason (§3)."""

    reason = models.CharField(_("原因"), max_length=200)
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("变更豁免")
        verbose_name_plural = _("变更豁免")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(reason=""), name="change_allowance_has_reason"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant"], condition=Q(order=None), name="change_allowance_unused")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.tenant_id} {self.reason}"
