"""The service catalogue: rows of the guide's 1.4 with one value per plan, and the data that other rooms refer to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from supportplans.models.plans import Plan
from supportplans.states import EntitlementAction, EntitlementKind


class Named(models.Model):
    """A row of reference data with a code and a name in both languages, shown in its position."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=60)
    name_en = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField()

    class Meta:
        abstract = True

    @override
    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name


class ServiceGroup(Named):
    """A heading of the comparison."""

    class Meta(Named.Meta):
        verbose_name = _("服务分组")
        verbose_name_plural = _("服务分组")
        ordering: ClassVar = ["position"]


class ServiceItem(Named):
    """One of the 23 services of the guide's 1.4."""

    group = models.ForeignKey(ServiceGroup, on_delete=models.PROTECT, related_name="items")

    class Meta(Named.Meta):
        verbose_name = _("服务项目")
        verbose_name_plural = _("服务项目")
        ordering: ClassVar = ["group__position", "position"]


class Entitlement(models.Model):
    """What one plan gives of one service."""

    item = models.ForeignKey(ServiceItem, on_delete=models.PROTECT, related_name="entitlements")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="entitlements")
    kind = models.CharField(max_length=20, choices=EntitlementKind.choices)
    value = models.CharField(_("内容"), max_length=200)
    value_en = models.CharField(max_length=300)
    # Times per service year (or accounts at once, for linked accounts); empty where nothing is counted.
    quota = models.PositiveSmallIntegerField(null=True, blank=True)
    # Limits and scenarios that upper rooms read: {"levels": {"1": 1, "2": 2}}, {"scenarios": {"join": "proactive"}}.
    details = models.JSONField(default=dict, blank=True)
    action = models.CharField(
        max_length=20, choices=EntitlementAction.choices, blank=True, default=""
    )

    class Meta:
        verbose_name = _("服务权益")
        verbose_name_plural = _("服务权益")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "plan"], name="entitlement_one_per_cell"),
        ]

    @override
    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """Return the cell's text in the current language."""
        return self.value_en if (get_language() or "").startswith("en") else self.value

    @property
    def lines(self) -> list[str]:
        """Return the cell's text line by line."""
        return self.text.split("\n")


class ProductLine(Named):
    """A line of cloud products: tickets, reports, windows and notices refer to it."""

    class Meta(Named.Meta):
        verbose_name = _("产品线")
        verbose_name_plural = _("产品线")
        ordering: ClassVar = ["position"]


class ResourcePool(Named):
    """A place where resources run (mainland China only)."""

    class Meta(Named.Meta):
        verbose_name = _("资源池")
        verbose_name_plural = _("资源池")
        ordering: ClassVar = ["position"]


class Agreement(models.Model):
    """One version of the service agreement. Acceptances name the version."""

    version = models.CharField(max_length=20, unique=True)
    effective_from = models.DateTimeField()
    body = models.TextField()
    body_en = models.TextField()

    class Meta:
        verbose_name = _("服务协议")
        verbose_name_plural = _("服务协议")
        ordering: ClassVar = ["-effective_from"]

    @override
    def __str__(self) -> str:
        return self.version
