"""What customers have begun to write, and what a good description of a problem holds."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import User
from core.models import TenantOwned, Timestamped
from supportplans.models import ProductLine


class TicketDraft(TenantOwned, Timestamped):
    """A ticket that is not submitted yet: one person's, kept on the server. No page of staff's shows it.

    ``key`` is the idempotency key of its form. A draft that was submitted or discarded keeps its row
    without content (``ended_at``): a late save of the same form does not bring it back.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    content: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    updated_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("工单草稿")
        verbose_name_plural = _("工单草稿")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "person", "key"], name="draft_once_per_form"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["person", "-updated_at"],
                condition=Q(ended_at=None),
                name="draft_of_person",
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """Return the title that was typed so far."""
        return str(self.content.get("title", ""))


class TicketTemplate(models.Model):
    """The questions that a description answers, per product line; the row without one is for all others."""

    product_line = models.OneToOneField(
        ProductLine, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    body = models.TextField(_("正文"))
    body_en = models.TextField()

    class Meta:
        verbose_name = _("问题描述模板")
        verbose_name_plural = _("问题描述模板")

    @override
    def __str__(self) -> str:
        return str(self.product_line or _("通用"))

    @property
    def text(self) -> str:
        """Return the template in the current language."""
        return self.body_en if (get_language() or "").startswith("en") else self.body
