"""Views of the search that people keep. Staff only, of no tenant."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import StaffMember
from core.models import Timestamped


class SavedView(Timestamped):
    """A named set of filters: its owner's, or the team's when a lead shares it. ``filters`` as the search's form sends
    them.
    """

    owner = models.ForeignKey(StaffMember, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("名称"), max_length=40)
    filters: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict)
    is_shared = models.BooleanField(_("团队共用"), default=False)

    class Meta:
        verbose_name = _("工单视图")
        verbose_name_plural = _("工单视图")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["owner", "name"], name="view_named_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["name"], condition=models.Q(is_shared=True), name="view_of_the_team"
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.name
