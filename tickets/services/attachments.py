"""Files of conversations: uploaded before or with their message, looked at by the worker, forgotten when recalled.

The worker claims a file, reads it outside any transaction (scanner and picture may take their time) and writes what
it found. A worker that dies loses the claim after a while and another one looks again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import Actor
from core.files import FileFacts, validate_upload
from core.jobs import enqueue
from messaging import live
from tickets.exceptions import TooManyFiles
from tickets.live import ticket_topic
from tickets.models import Attachment, TicketMessage
from tickets.scanners import Verdict
from tickets.states import ScanState

FILES_MAX = 5
# Files that one person has uploaded and not sent yet.
UNSENT_MAX = 20
UNSENT_KEPT = timedelta(days=7)
CLAIMED_FOR = timedelta(minutes=5)
RETRY_AFTER = timedelta(minutes=1)
DISCARD_BATCH = 200


@transaction.atomic
def attachment_upload(
    *, tenant_id: int, upload: File[Any], actor: Actor, at: datetime
) -> Attachment:
    """Take a file before its message is sent; only its person can see and send it.

    Raises TooManyFiles and the errors of ``core.files.validate_upload``.
    """
    unsent = Attachment.objects.filter(tenant_id=tenant_id, message=None, uploaded_by=actor.user)
    if unsent.filter(created_at__gt=at - UNSENT_KEPT).count() >= UNSENT_MAX:
        raise TooManyFiles(_("未发送的文件过多，请先发送或稍后再试"), field="attachments")
    facts = validate_upload(upload)
    return attachment_store(tenant_id=tenant_id, upload=upload, facts=facts, actor=actor, at=at)


def attachment_store(
    *,
    tenant_id: int,
    upload: File[Any],
    facts: FileFacts,
    actor: Actor,
    at: datetime,
    message: TicketMessage | None = None,
) -> Attachment:
    """Keep a checked file and have the worker look at it. Without a scanner it is open at once, marked as unscanned."""
    row = Attachment.objects.create(
        tenant_id=tenant_id,
        message=message,
        uploaded_by=actor.user,
        file=upload,
        name=facts.name,
        size=facts.size,
        content_type=facts.content_type,
        sha256=facts.sha256,
        scan=ScanState.SCANNING if settings.SCANNER_URL else ScanState.UNSCANNED,
        check_at=at,
        created_at=at,
    )
    enqueue("tickets.attachments_check")
    return row


def attachment_copy(row: Attachment, *, message: TicketMessage) -> Attachment:
    """Return the same stored file for another message, unsaved, with all that is known of its safety."""
    return Attachment(
        tenant_id=message.tenant_id,
        message=message,
        uploaded_by_id=row.uploaded_by_id,
        file=row.file.name,
        preview=row.preview.name if row.preview else "",
        name=row.name,
        size=row.size,
        content_type=row.content_type,
        sha256=row.sha256,
        scan=row.scan,
        scan_detail=row.scan_detail,
        scanned_at=row.scanned_at,
        check_at=row.check_at,
        created_at=row.created_at,
    )


def attachments_link(*, rows: Iterable[Attachment], message: TicketMessage, actor: Actor) -> None:
    """Send uploaded files with their message. One that someone else uploaded, or that was sent already, is not."""
    for row in rows:
        Attachment.objects.filter(
            pk=row.pk, tenant_id=message.tenant_id, message=None, uploaded_by=actor.user
        ).update(message=message)


def unsent_of(*, tenant_id: int, actor: Actor, ids: Iterable[int]) -> list[Attachment]:
    """Return the person's own unsent files among ``ids``, oldest first."""
    wanted = list(ids)[:FILES_MAX]
    return list(
        Attachment.objects.filter(
            pk__in=wanted, tenant_id=tenant_id, message=None, uploaded_by=actor.user
        ).order_by("pk")
    )


@transaction.atomic
def attachment_claim(*, at: datetime) -> Attachment | None:
    """Take a file that is to be looked at and keep others from it for a while; None when there is none."""
    row = (
        Attachment.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(check_at__lte=at)
        .order_by("check_at")
        .first()
    )
    if row is not None:
        row.check_at = at + CLAIMED_FOR
        row.save(update_fields=["check_at"])
    return row


@transaction.atomic
def attachment_judge(
    *, attachment_id: int, verdict: Verdict | None, preview: bytes | None, at: datetime
) -> None:
    """Write what was found: the scanner's word (None without a scanner) and the picture of an image."""
    row = (
        Attachment.objects.select_for_update(of=("self",))
        .select_related("tenant", "message")
        .get(pk=attachment_id)
    )
    if row.scan == ScanState.DISCARDED:
        return
    if verdict is not None:
        row.scan = ScanState.SAFE if verdict.is_safe else ScanState.BLOCKED
        row.scan_detail, row.scanned_at = verdict.finding, at
    if preview is not None and row.can_download and not row.preview:
        row.preview.save("preview.jpg", ContentFile(preview), save=False)
    row.check_at = None
    row.save(update_fields=["scan", "scan_detail", "scanned_at", "preview", "check_at"])
    _touch(row)


@transaction.atomic
def attachment_postpone(*, attachment_id: int, at: datetime) -> None:
    """Look at a file again later, because the scanner could not be asked. It stays shut meanwhile."""
    Attachment.objects.filter(pk=attachment_id, check_at__isnull=False).update(
        check_at=at + RETRY_AFTER
    )


@transaction.atomic
def attachments_discard(*, message_id: int) -> int:
    """Delete the files of a recalled message from the store; return how many. Safe to run twice."""
    files = Attachment.objects.select_for_update(of=("self",)).filter(
        message_id=message_id, message__recalled_at__isnull=False
    )
    discarded = 0
    for row in files.exclude(scan=ScanState.DISCARDED):
        _delete_stored(row)
        row.name, row.scan, row.check_at = "", ScanState.DISCARDED, None
        row.save(update_fields=["name", "file", "preview", "scan", "check_at"])
        discarded += 1
    return discarded


@transaction.atomic
def unsent_discard(*, at: datetime) -> int:
    """Delete files that were uploaded and never sent within a week; return how many. Safe to run twice."""
    old = (
        Attachment.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(message=None, created_at__lt=at - UNSENT_KEPT)
        .order_by("created_at")[:DISCARD_BATCH]
    )
    discarded = 0
    for row in old:
        _delete_stored(row)
        row.delete()
        discarded += 1
    return discarded


def _delete_stored(row: Attachment) -> None:
    for stored in (row.file, row.preview):
        if stored:
            stored.delete(save=False)


def _touch(row: Attachment) -> None:
    """Tell open pages of the ticket that the file's state changed."""
    if row.message is not None:
        live.touch(ticket_topic(row.message.ticket_id))
