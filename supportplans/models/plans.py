"""Plans, their prices and their response targets. All of it is data with an effective date (domain.md, head)."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from supportplans.states import PlanCode, Severity


class Plan(models.Model):
    """One of the four levels (domain.md §1)."""

    code = models.CharField(max_length=20, choices=PlanCode.choices, unique=True)
    rank = models.PositiveSmallIntegerField(unique=True)
    name = models.CharField(_("名称"), max_length=40)
    name_en = models.CharField(max_length=40)
    audience = models.CharField(_("适用对象"), max_length=80)
    audience_en = models.CharField(max_length=120)
    scenario = models.CharField(_("适用场景"), max_length=200)
    scenario_en = models.CharField(max_length=300)
    badge = models.CharField(_("专属服务标识"), max_length=40)
    badge_en = models.CharField(max_length=60)
    answered_by = models.CharField(_("响应人员"), max_length=40)
    answered_by_en = models.CharField(max_length=60)
    handled_by = models.CharField(_("处理人员"), max_length=40)
    handled_by_en = models.CharField(max_length=60)
    handler_tier = models.CharField(max_length=20)
    vip_desk = models.BooleanField(default=False)
    # 1 is restored first; standard service comes last (domain.md §1).
    restore_priority = models.PositiveSmallIntegerField()
    highlights = models.JSONField(default=list)
    highlights_en = models.JSONField(default=list)
    linked_accounts_max = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("支持计划")
        verbose_name_plural = _("支持计划")
        ordering: ClassVar = ["rank"]

    @override
    def __str__(self) -> str:
        return self.text("name")

    def text(self, field: str) -> str:
        """Return a text in the current language (``name``, ``scenario``, …)."""
        english = (get_language() or "").startswith("en")
        return str(getattr(self, f"{field}_en" if english else field))

    def highlight_list(self) -> list[str]:
        """Return the selling points in the current language."""
        english = (get_language() or "").startswith("en")
        return list(self.highlights_en if english else self.highlights)


class PlanPrice(models.Model):
    """The monthly list price from an instant on (guide 2.1). CNY, two places."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="prices")
    monthly = models.DecimalField(max_digits=12, decimal_places=2)
    effective_from = models.DateTimeField()
    note = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        verbose_name = _("价格")
        verbose_name_plural = _("价格")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["plan", "effective_from"], name="plan_price_once_per_instant"
            ),
            models.CheckConstraint(
                condition=models.Q(monthly__gte=0), name="plan_price_not_negative"
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.plan_id} {self.monthly} {self.effective_from:%Y-%m-%d}"

    @property
    def yearly(self) -> Decimal:
        """Return the list price of one year in CNY."""
        return self.monthly * 12


class ResponseTarget(models.Model):
    """How soon staff answers, from an instant on (guide 1.5.2). Minutes, around the clock."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="targets")
    severity = models.CharField(max_length=10, choices=Severity.choices)
    minutes = models.PositiveSmallIntegerField()
    effective_from = models.DateTimeField()

    class Meta:
        verbose_name = _("响应时限")
        verbose_name_plural = _("响应时限")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["plan", "severity", "effective_from"], name="target_once_per_instant"
            ),
            models.CheckConstraint(
                condition=models.Q(minutes__gte=1), name="target_at_least_a_minute"
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.plan_id} {self.severity} {self.minutes}"
