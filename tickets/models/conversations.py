"""What is said about a ticket. Notes are a table of their own: a customer's role has no right on it at all."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import StaffMember
from core.files import private_path
from core.models import Attributed, TenantOwned, Timestamped
from tickets.models.tickets import Ticket
from tickets.states import ScanState


class TicketMessage(TenantOwned, Timestamped, Attributed):
    """One public message: a customer's, a person of staff's, or an automatic one (``actor`` empty, not a response).

    Append-only, with one exception that the database holds to (0003_message_rules): a recalled message loses its text.
    """

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
    recalled_at = models.DateTimeField(null=True, blank=True)
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
    """A private file, checked by type and size, scanned by the worker, served as an attachment only.

    It is uploaded before its message is sent (``message`` empty, seen by ``uploaded_by`` alone) or together with it.
    """

    message = models.ForeignKey(
        TicketMessage,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="attachments",
    )
    uploaded_by = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    file = models.FileField(upload_to=private_path("tickets"))
    # A small picture made anew from an image's pixels, to be shown in the conversation.
    preview = models.FileField(upload_to=private_path("tickets"), blank=True, default="")
    name = models.CharField(max_length=200)
    size = models.PositiveIntegerField()
    content_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    scan = models.CharField(max_length=10, choices=ScanState.choices, default=ScanState.UNSCANNED)
    scan_detail = models.CharField(max_length=200, blank=True, default="")
    scanned_at = models.DateTimeField(null=True, blank=True)
    # When the worker looks at the file (again); empty when it is done with it.
    check_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("附件")
        verbose_name_plural = _("附件")
        indexes: ClassVar = [
            models.Index(
                fields=["check_at"],
                condition=Q(check_at__isnull=False),
                name="attachment_to_check",
            ),
            models.Index(
                fields=["created_at"], condition=Q(message=None), name="attachment_unsent"
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.name

    @property
    def scan_enum(self) -> ScanState:
        """Return the state of the scan with its label and colour."""
        return ScanState(self.scan)

    @property
    def can_download(self) -> bool:
        """Return True unless the file is being scanned, blocked or recalled."""
        return self.scan_enum.is_open

    def facts(self) -> dict[str, Any]:
        """Return what the API says about the file."""
        return {
            "id": self.pk,
            "name": self.name,
            "size": self.size,
            "content_type": self.content_type,
            "sha256": self.sha256,
            "scan": self.scan,
        }
