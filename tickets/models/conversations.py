"""What is said about a ticket. Notes are a table of their own: a customer's role has no right on it at all."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import StaffMember
from core.files import private_path
from core.models import Attributed, TenantOwned, Timestamped
from tickets.models.tickets import Ticket


class TicketMessage(TenantOwned, Timestamped, Attributed):
    """One public message: a customer's, a person of staff's, or an automatic one (``actor`` empty, not a response)."""

    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    body = models.TextField(_("内容"))
    is_staff = models.BooleanField(default=False)
    is_automatic = models.BooleanField(default=False)
    staff_member = models.ForeignKey(
        StaffMember,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    idempotency_key = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001  (empty is not unique)
    search = SearchVectorField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("对话")
        verbose_name_plural = _("对话")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "ticket", "idempotency_key"], name="message_once_per_submission"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["ticket", "created_at", "id"], name="message_of_ticket"),
            GinIndex(fields=["search"], name="ticket_message_search"),
        ]

    @override
    def __str__(self) -> str:
        return self.body[:60]


class TicketNote(TenantOwned, Timestamped, Attributed):
    """An internal note among staff."""

    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="notes", db_index=False
    )
    body = models.TextField(_("内部备注"))

    class Meta:
        verbose_name = _("内部备注")
        verbose_name_plural = _("内部备注")
        indexes: ClassVar = [
            models.Index(fields=["ticket", "created_at", "id"], name="note_of_ticket")
        ]

    @override
    def __str__(self) -> str:
        return self.body[:60]


class Attachment(TenantOwned, Timestamped):
    """A private file of one public message, checked by type and size, served as an attachment only."""

    message = models.ForeignKey(TicketMessage, on_delete=models.PROTECT, related_name="attachments")
    file = models.FileField(upload_to=private_path("tickets"))
    name = models.CharField(max_length=200)
    size = models.PositiveIntegerField()
    content_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("附件")
        verbose_name_plural = _("附件")

    @override
    def __str__(self) -> str:
        return self.name

    def facts(self) -> dict[str, Any]:
        """Return what the API says about the file."""
        return {"id": self.pk, "name": self.name, "size": self.size, "sha256": self.sha256}
