"""The track of wishes for the product, and what is out of scope."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.models import Attributed, TenantOwned, Timestamped
from tickets.desk_states import RequirementStage
from tickets.models.tickets import Ticket


class RequirementStep(TenantOwned, Timestamped, Attributed):
    """One step of a requirement's track (domain.md §5). Append-only; the last one says where it stands.

    ``planned_for`` is the day by which it is planned; the customer reads ``comment``.
    """

    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="requirement_steps", db_index=False
    )
    stage = models.CharField(max_length=10, choices=RequirementStage.choices)
    planned_for = models.DateField(_("计划日期"), null=True, blank=True)
    comment = models.CharField(_("说明"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("需求进展")
        verbose_name_plural = _("需求进展")
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["ticket", "id"], name="steps_of_requirement"),
            models.Index(fields=["tenant", "created_at"], name="steps_by_tenant"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.stage} {self.created_at:%Y-%m-%d}"


class ScopeItem(models.Model):
    """One thing that the plans' service does not contain (guide 1.3), with what the customer is told. Data."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=120)
    name_en = models.CharField(max_length=160)
    reply = models.TextField(_("标准说明"))
    reply_en = models.TextField()
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("服务范围外事项")
        verbose_name_plural = _("服务范围外事项")
        ordering: ClassVar = ["position", "id"]

    @override
    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name
