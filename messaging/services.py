"""``notify`` is the one way to tell people; the rest turns what it wrote into deliveries (docs/adr/0004)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import Q
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import User
from core.jobs import enqueue
from messaging import live, threads
from messaging.audiences import people_of
from messaging.models import Delivery, Message
from messaging.registry import kind_get
from messaging.states import Channel, DeliveryState

EXPAND_BATCH = 100
CLAIM_SECONDS = 300
# Pauses before the second, third, … attempt; after the last one the delivery has failed and operators see it.
RETRY_MINUTES = (1, 5, 30, 120, 720)
EXPAND_ATTEMPTS = 5

_OUTBOX = """
INSERT INTO messaging_message
       (tenant_id, kind, key, audience, context, url, staff_url, thread, attempts, error, created_at)
SELECT tenant_id, %(kind)s, key, audience, context, url, staff_url, thread, 0, '', %(at)s
  FROM jsonb_to_recordset(%(notices)s) AS notice
       (tenant_id bigint, key text, audience jsonb, context jsonb, url text, staff_url text,
        thread text)
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Notice:
    """One thing to tell, once per tenant, kind and ``key``.

    ``audience`` as in ``messaging.audiences.people_of``; ``context`` holds JSON values for the texts; ``url`` and
    ``staff_url`` are paths of this portal; ``thread`` is its conversation, such as ``ticket-17``.
    """

    key: str
    audience: Sequence[str]
    context: dict[str, Any]
    tenant_id: int | None
    url: str = ""
    staff_url: str = ""
    thread: str = ""


def notify(
    kind: str,
    *,
    key: str,
    audience: Sequence[str],
    context: dict[str, Any],
    url: str = "",
    staff_url: str = "",
    thread: str = "",
    tenant_id: int | None,
    at: datetime,
) -> None:
    """Tell people: write one row in the caller's transaction, see ``Notice``. Raises KindUnknown."""
    notice = Notice(
        key=key,
        audience=audience,
        context=context,
        tenant_id=tenant_id,
        url=url,
        staff_url=staff_url,
        thread=thread,
    )
    notify_many(kind, [notice], at=at)


def notify_many(kind: str, notices: Sequence[Notice], *, at: datetime) -> None:
    """Tell many things of one kind with one statement; what was told before is left as it is. Raises KindUnknown."""
    kind_get(kind)
    if not notices:
        return
    # Plain SQL, one document: thousands at once. No RETURNING: a customer may add to the outbox, not read it.
    rows = json.dumps([vars(notice) for notice in notices], cls=DjangoJSONEncoder)
    with connection.cursor() as cursor:
        cursor.execute(_OUTBOX, {"kind": kind, "at": at, "notices": rows})
    enqueue("messaging.messages_expand")


@transaction.atomic
def notify_at_once(kind: str, notice: Notice, *, at: datetime) -> None:
    """Tell people of staff in the same transaction, by in-site messages: for news that needs no worker.

    Staff's scope only. Raises KindUnknown.
    """
    notify_many(kind, [notice], at=at)
    waiting = Message.objects.select_for_update(of=("self",)).filter(expanded_at=None)
    tenant = Q(tenant=notice.tenant_id) if notice.tenant_id else Q(tenant=None)
    for message in waiting.filter(tenant, kind=kind, key=notice.key):
        _expand(message, at)


@transaction.atomic
def messages_expand(*, at: datetime) -> int:
    """Turn waiting messages into deliveries; return how many were taken. Safe to run twice and side by side."""
    waiting = (
        Message.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(expanded_at=None, attempts__lt=EXPAND_ATTEMPTS)
        .order_by("id")[:EXPAND_BATCH]
    )
    taken = list(waiting)
    for message in taken:
        try:
            with transaction.atomic():
                _expand(message, at)
        except (TemplateDoesNotExist, LookupError, ValueError) as error:
            message.attempts += 1
            message.error = f"{type(error).__name__}: {error}"
            message.save(update_fields=["attempts", "error"])
    return len(taken)


def delivery_claim(*, at: datetime) -> Delivery | None:
    """Take one delivery that is due and keep others from it for a while; None when nothing is due.

    The caller sends it outside the transaction. A worker that dies after sending repeats the mail once the claim has
    run out: at least once, never lost.
    """
    with transaction.atomic():
        delivery = (
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(state=DeliveryState.PENDING, next_attempt_at__lte=at)
            .select_related("recipient")
            .order_by("next_attempt_at")
            .first()
        )
        if delivery is not None:
            delivery.attempts += 1
            delivery.next_attempt_at = at + timedelta(seconds=CLAIM_SECONDS)
            delivery.save(update_fields=["attempts", "next_attempt_at"])
    return delivery


@transaction.atomic
def delivery_succeed(*, delivery_id: int, at: datetime) -> None:
    """Record that the channel took the delivery."""
    Delivery.objects.filter(pk=delivery_id, state=DeliveryState.PENDING).update(
        state=DeliveryState.DELIVERED, delivered_at=at, next_attempt_at=None, error=""
    )


@transaction.atomic
def delivery_fail(*, delivery_id: int, error: str, at: datetime) -> None:
    """Record a failed attempt: try again later, or give up where operators see it."""
    delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
    if delivery.state != DeliveryState.PENDING:
        return
    delivery.error = error[:2000]
    if delivery.attempts > len(RETRY_MINUTES):
        delivery.state = DeliveryState.FAILED
        delivery.next_attempt_at = None
    else:
        delivery.next_attempt_at = at + timedelta(minutes=RETRY_MINUTES[delivery.attempts - 1])
    delivery.save(update_fields=["error", "state", "next_attempt_at"])


@transaction.atomic
def delivery_retry(*, delivery_id: int, at: datetime) -> bool:
    """Try a failed delivery again from the start; False if it is not (any more) failed."""
    changed = Delivery.objects.filter(pk=delivery_id, state=DeliveryState.FAILED).update(
        state=DeliveryState.PENDING, attempts=0, next_attempt_at=at
    )
    if changed:
        enqueue("messaging.deliveries_send")
    return bool(changed)


@transaction.atomic
def inbox_read(*, user: User, delivery_ids: Sequence[int] | None, at: datetime) -> int:
    """Mark the person's messages as read (all unread ones when no ids are given); return how many changed."""
    unread = Delivery.objects.filter(recipient=user, channel=Channel.INBOX, read_at=None)
    if delivery_ids is not None:
        unread = unread.filter(pk__in=delivery_ids)
    changed = unread.update(read_at=at)
    if changed:
        live.touch(user.pk)
    return changed


def _expand(message: Message, at: datetime) -> None:
    kind = kind_get(message.kind)
    for person in people_of(message.audience, message.tenant_id):
        channels = kind.staff_channels if person.is_staff else kind.channels
        for channel in channels:
            _deliver_by(channel, message, person, at)
        live.touch(person.pk)
    message.expanded_at = at
    message.error = ""
    message.save(update_fields=["expanded_at", "error"])


def _deliver_by(channel: Channel, message: Message, person: User, at: datetime) -> None:
    """Write one delivery. In-site messages are delivered by being written; mail waits for its sender."""
    waits = channel == Channel.EMAIL
    Delivery.objects.bulk_create(
        [
            Delivery(
                tenant_id=None if person.is_staff else message.tenant_id,
                message=message,
                recipient=person,
                channel=channel,
                url=_url(message, person),
                thread=message.thread,
                state=DeliveryState.PENDING if waits else DeliveryState.DELIVERED,
                next_attempt_at=at if waits else None,
                delivered_at=None if waits else at,
                created_at=at,
                **render(message, person, channel),
            )
        ],
        ignore_conflicts=True,
    )
    if waits:
        enqueue("messaging.deliveries_send")


def _url(message: Message, person: User) -> str:
    return message.staff_url if person.is_staff and message.staff_url else message.url


def render(message: Message, person: User, channel: Channel) -> dict[str, str]:
    """Return ``subject``, ``text`` and ``html`` in the person's language. Raises TemplateDoesNotExist."""
    app, event = message.kind.split(".")
    stem = f"emails/{app}/{event}"
    context = {
        **message.context,
        "person": person,
        "brand": settings.BRAND,
        "link": f"{settings.SITE_URL}{_url(message, person)}",
        "can_reply": bool(message.thread) and threads.is_enabled() and not person.is_staff,
    }
    with translation.override(person.language or settings.LANGUAGE_CODE):
        subject = " ".join(render_to_string(f"{stem}.subject.txt", context).split())
        if channel == Channel.INBOX:
            return {
                "subject": subject[:200],
                "text": render_to_string(f"{stem}.txt", context).strip(),
            }
        return {
            "subject": subject[:200],
            "text": render_to_string("emails/frame.txt", {**context, "body": f"{stem}.txt"}),
            "html": render_to_string(
                "emails/frame.html", {**context, "body": f"{stem}.html", "subject": subject}
            ),
        }
