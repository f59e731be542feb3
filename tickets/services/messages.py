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
from core.files import validate_upload
from tickets.exceptions import ReplyEmpty
from tickets.models import Attachment, Ticket, TicketMessage

FILES_MAX = 5
BODY_MAX = 20_000


class TooManyFiles(DomainError):
    """A message carries a few files only."""

    code = "too_many_files"
    status = 400


def message_write(
    *,
    ticket: Ticket,
    body: str,
    actor: Actor,
    at: datetime,
    attachments: Sequence[File[Any]] = (),
    staff_member: StaffMember | None = None,
    idempotency_key: str | None = None,
) -> TicketMessage:
    """Add a message to the conversation, its files checked by content. Saves nothing of the ticket.

    Raises ReplyEmpty, TooManyFiles and the errors of ``core.files.validate_upload``.
    """
    if not body.strip():
        raise ReplyEmpty(field="body")
    if len(attachments) > FILES_MAX:
        raise TooManyFiles(
            _("一次最多上传 %(most)d 个文件") % {"most": FILES_MAX}, field="attachments"
        )
    facts = []
    for upload in attachments:
        try:
            facts.append(validate_upload(upload))
        except DomainError as error:
            error.field = "attachments"
            raise
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
    for upload, fact in zip(attachments, facts, strict=True):
        Attachment.objects.create(
            tenant_id=ticket.tenant_id,
            message=message,
            file=upload,
            name=fact.name,
            size=fact.size,
            content_type=fact.content_type,
            sha256=fact.sha256,
            created_at=at,
        )
    return message
