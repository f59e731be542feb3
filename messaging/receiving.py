"""Taking in mail: first kept, then read. Each message id once, whoever delivers it and how often.

A mail is a row and a file before anybody answers for it; the worker reads it in one transaction with what it causes.
A worker that dies leaves the row to the next one. What is no reply stays in the operators' log with its reason.
"""

from __future__ import annotations

import email
from datetime import datetime, timedelta
from email.policy import default

from django.core.files.base import ContentFile
from django.db import transaction

from core.events import publish
from core.exceptions import DomainError
from core.jobs import enqueue
from messaging.events import ReplyReceived
from messaging.inbound import Mail, Refusal, mail_read, message_id_of
from messaging.models import InboundMail
from messaging.states import InboundState, InboundWay

ATTEMPTS_MAX = 5
RETRY_AFTER = timedelta(minutes=2)
RAW_KEPT = timedelta(days=30)
DISCARD_BATCH = 200


class ReplyRefused(DomainError):
    """A handler of a reply refuses it, for one of the log's reasons."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal.label))
        self.refusal = refusal


@transaction.atomic
def mail_receive(*, raw: bytes, way: InboundWay, at: datetime) -> bool:
    """Keep a mail for the worker; False for one whose message id is here already."""
    parsed = email.message_from_bytes(raw, policy=default)
    message_id = message_id_of(parsed, raw)
    if InboundMail.objects.filter(message_id=message_id).exists():
        return False
    row = InboundMail(
        message_id=message_id, way=way, size=len(raw), created_at=at, next_attempt_at=at
    )
    row.raw.save("mail.eml", ContentFile(raw), save=False)
    made = InboundMail.objects.bulk_create([row], ignore_conflicts=True)
    # Whoever lost the race to the same message id leaves no file behind.
    is_first = InboundMail.objects.filter(message_id=message_id, raw=made[0].raw.name).exists()
    if not is_first:
        row.raw.storage.delete(str(row.raw.name))
        return False
    enqueue("messaging.mails_process")
    return True


@transaction.atomic
def mail_process_next(*, at: datetime) -> bool:
    """Read one mail that waits, with all that it causes; False when none does. Safe side by side."""
    row = (
        InboundMail.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(next_attempt_at__lte=at)
        .order_by("next_attempt_at", "id")
        .first()
    )
    if row is None:
        return False
    row.attempts += 1
    try:
        with transaction.atomic():
            _take_over(row)
    except ReplyRefused as refused:
        _end(row, InboundState.REFUSED, refused.refusal, at)
    except (DomainError, OSError, LookupError, ValueError) as error:
        row.error = f"{type(error).__name__}: {error}"[:1000]
        if isinstance(error, DomainError) or row.attempts >= ATTEMPTS_MAX:
            reason = Refusal.REFUSED if isinstance(error, DomainError) else Refusal.UNREADABLE
            _end(row, InboundState.REFUSED, reason, at)
        else:
            row.next_attempt_at = at + RETRY_AFTER
    row.save()
    return True


def content_of(mail_id: int) -> Mail:
    """Return what a kept mail says, for the handler of its event. Raises InboundMail.DoesNotExist."""
    row = InboundMail.objects.get(pk=mail_id)
    with row.raw.open("rb") as file:
        return mail_read(file.read())


@transaction.atomic
def mail_retry(*, mail_id: int, at: datetime) -> bool:
    """Read a refused mail again, for instance after its sender was authorised; False for any other."""
    changed = InboundMail.objects.filter(
        pk=mail_id, state=InboundState.REFUSED, raw__gt="", created_at__gt=at - RAW_KEPT
    ).update(state=InboundState.WAITING, refusal="", attempts=0, next_attempt_at=at)
    if changed:
        enqueue("messaging.mails_process")
    return bool(changed)


@transaction.atomic
def raw_discard(*, at: datetime) -> int:
    """Delete the stored text of mails that came more than 30 days ago; the log keeps its line. Safe to run twice."""
    old = InboundMail.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        created_at__lt=at - RAW_KEPT, next_attempt_at=None, raw__gt=""
    )
    count = 0
    for row in old.order_by("id")[:DISCARD_BATCH]:
        row.raw.delete(save=False)
        row.save(update_fields=["raw"])
        count += 1
    return count


def _take_over(row: InboundMail) -> None:
    """Hand the reply to the app whose thread it belongs to. Raises ReplyRefused."""
    with row.raw.open("rb") as file:
        mail = mail_read(file.read())
    row.sender, row.subject = mail.sender, mail.subject
    if mail.target is not None:
        row.thread = mail.target.thread
    if mail.refusal is not None:
        raise ReplyRefused(mail.refusal)
    if mail.target is None:
        raise ReplyRefused(Refusal.NO_ADDRESS)
    publish(
        ReplyReceived(
            mail_id=row.pk,
            tenant_id=mail.target.tenant_id,
            thread=mail.target.thread,
            user_id=mail.target.user_id,
            sender=mail.sender,
            at=row.created_at,
        )
    )
    _end(row, InboundState.ACCEPTED, "", row.created_at)


def _end(row: InboundMail, state: InboundState, refusal: Refusal | str, at: datetime) -> None:
    row.state, row.refusal = state, refusal
    row.processed_at, row.next_attempt_at = at, None
