"""What raises a tenant's coverage for a time, and what has been used of counted services."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.models import TenantOwned, Timestamped
from supportplans.models.catalogue import ServiceItem
from supportplans.states import QuotaState, WindowState

LEVELS = {1: _("一级"), 2: _("二级"), 3: _("三级")}


class AssuranceWindow(TenantOwned, Timestamped):
    """A time of major-event assurance 重保 (domain.md §7). The level acts on tickets while the window runs."""

    level = models.PositiveSmallIntegerField(choices=LEVELS)
    title = models.CharField(_("活动名称"), max_length=100)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=WindowState.choices, default=WindowState.REQUESTED
    )
    service_order_number = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        verbose_name = _("重保窗口")
        verbose_name_plural = _("重保窗口")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(level__gte=1, level__lte=3), name="window_level_one_to_three"
            ),
            models.CheckConstraint(
                condition=Q(ends__gt=F("starts")), name="window_ends_after_it_starts"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "starts", "ends"],
                condition=Q(state=WindowState.APPROVED),
                name="window_in_force",
            ),
            models.Index(fields=["starts", "ends"], name="window_calendar"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.get_level_display()} {self.title}"


class QuotaUse(TenantOwned, Timestamped):
    """One use of a counted service in a service year (domain.md §7)."""

    item = models.ForeignKey(ServiceItem, on_delete=models.PROTECT, related_name="+")
    service_year_start = models.DateTimeField()
    level = models.PositiveSmallIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=QuotaState.choices)
    reference = models.CharField(max_length=40)

    class Meta:
        verbose_name = _("权益使用")
        verbose_name_plural = _("权益使用")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "item", "reference"], name="quota_use_once_per_reference"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "service_year_start"], name="quota_use_by_year")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.item_id} {self.reference}"
