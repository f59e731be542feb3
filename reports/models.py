"""Monthly reports that were made. Their data are fetched for them and not kept (guide 1.5.8, table 1)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.files import private_path
from core.models import TenantOwned, Timestamped
from reports.states import ExemptionReason, ReportState


class MonthlyReport(TenantOwned, Timestamped):
    """One month of one customer: the PDF, or why there is none."""

    month = models.DateField(_("月份"))
    state = models.CharField(max_length=10, choices=ReportState.choices)
    exemption = models.CharField(
        max_length=20, choices=ExemptionReason.choices, blank=True, default=""
    )
    file = models.FileField(upload_to=private_path("reports"), max_length=200, blank=True)
    size = models.PositiveIntegerField(default=0)
    pages = models.PositiveSmallIntegerField(default=0)
    summary = models.CharField(max_length=200, blank=True, default="")
    service_order_number = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        verbose_name = _("服务月报")
        verbose_name_plural = _("服务月报")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "month"], name="monthly_report_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["month", "tenant"], name="monthly_report_by_month")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"

    @property
    def name(self) -> str:
        """Return the file's name for people."""
        return f"{self.month:%Y-%m} 服务月报.pdf"
