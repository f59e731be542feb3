"""Writing one public message with its files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.files.base import File
from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.models import StaffMember
from core import search
from core.exceptions import DomainError
from core.files import FileFacts, validate_upload
from tickets.exceptions import ReplyEmpty, TooManyFiles
from tickets.models import Attachment, Ticket, TicketMessage
from tickets.services.attachments import FILES_MAX, attachment_store, attachments_link

BODY_MAX = 20_000


def message_write(
    *,
    ticket: Ticket,
    body: str,
    actor: Actor,
    at: datetime,
    attachments: Sequence[File[Any] | Attachment] = (),
    staff_member: StaffMember | None = None,
    idempotency_key: str | None = None,
) -> TicketMessage:
    """Add a message to the conversation, its files checked by content. Saves nothing of the ticket.

    ``attachments`` are files that come with the message, or rows of files that its author uploaded before.
    Raises ReplyEmpty, TooManyFiles and the errors of ``core.files.validate_upload``.
    """
    if not body.strip():
        raise ReplyEmpty(field="body")
    if len(attachments) > FILES_MAX:
        raise TooManyFiles(
            _("一次最多上传 %(most)d 个文件") % {"most": FILES_MAX}, field="attachments"
        )
    uploaded = [row for row in attachments if isinstance(row, Attachment)]
    uploads = [file for file in attachments if not isinstance(file, Attachment)]
    facts = [_facts(upload) for upload in uploads]
    body = body.strip()[:BODY_MAX]
    message = TicketMessage.objects.create(
        tenant_id=ticket.tenant_id,
        ticket=ticket,
        body=body,
        is_staff=actor.is_staff,
        staff_member=staff_member,
        idempotency_key=idempotency_key or None,
        created_at=at,
        search=search.vector(body),
        **actor.snapshot(),
    )
    attachments_link(rows=uploaded, message=message, actor=actor)
    for upload, fact in zip(uploads, facts, strict=True):
        attachment_store(
            tenant_id=ticket.tenant_id,
            message=message,
            upload=upload,
            facts=fact,
            actor=actor,
            at=at,
        )
    return message


def _facts(upload: File[Any]) -> FileFacts:
    """Return the facts of a file; what is refused belongs to the form's field."""
    try:
        return validate_upload(upload)
    except DomainError as error:
        error.field = "attachments"
        raise
