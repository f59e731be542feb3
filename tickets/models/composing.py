"""What agents have begun to write, and the texts and actions that they keep for reuse. Customers see none of it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import StaffMember
from core.models import TenantOwned, Timestamped
from tickets.models.tickets import Ticket
from tickets.states import DraftKind


class AgentDraft(TenantOwned):
    """What one agent has begun to write on one ticket, as a reply or as a note. No customer's role has a right on it.

    ``version`` grows with each save, so that a page that shows an older text notices. ``seen_message_id`` is the last
    message that the agent had read when the text was begun; 0 when there was none.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+", db_index=False)
    staff_member = models.ForeignKey(
        StaffMember, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=10, choices=DraftKind.choices)
    body = models.TextField()
    device = models.CharField(max_length=36)
    version = models.PositiveIntegerField(default=1)
    seen_message_id = models.PositiveBigIntegerField(default=0)
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("回复草稿")
        verbose_name_plural = _("回复草稿")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "ticket", "staff_member", "kind"],
                name="agent_draft_once_per_composer",
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.body[:60]


class Macro(Timestamped):
    """Something agents do again and again: texts to insert and fields to change (``tickets.macros``).

    Without an ``owner`` it belongs to the team. ``steps`` is a list of ``{"kind": …, …}``, at most one of each kind.
    A macro that only replies is a canned reply: "/" and its shortcut insert its text.
    """

    name = models.CharField(_("名称"), max_length=60)
    shortcut = models.CharField(_("快捷词"), max_length=30, blank=True, default="")
    owner = models.ForeignKey(
        StaffMember, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    steps: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list
    )
    is_active = models.BooleanField(_("启用"), default=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("宏")
        verbose_name_plural = _("宏")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "name"], nulls_distinct=False, name="macro_name_once_per_owner"
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.name

    @property
    def only_replies(self) -> bool:
        """Return True for a canned reply."""
        return [step["kind"] for step in self.steps] == ["reply"]
