"""Tags that staff sorts tickets by. No customer's transaction can read them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.models import Attributed, TenantOwned, Timestamped
from tickets.models.tickets import Ticket


class Tag(models.Model):
    """One word of the catalogue. Operators edit it; a tag that is not offered any more stays where it was set."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=20)
    name_en = models.CharField(max_length=30)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("标签")
        verbose_name_plural = _("标签")
        ordering: ClassVar = ["position", "id"]

    @override
    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name


class TicketTag(TenantOwned, Timestamped, Attributed):
    """A tag on a ticket."""

    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="tag_rows", db_index=False
    )
    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("工单标签")
        verbose_name_plural = _("工单标签")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "ticket", "tag"], name="tag_once_per_ticket")
        ]
        indexes: ClassVar = [
            models.Index(fields=["ticket", "tag"], name="tags_of_ticket"),
            models.Index(fields=["tag", "ticket"], name="tickets_of_tag"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.ticket_id} {self.tag_id}"
