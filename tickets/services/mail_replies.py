"""Replies that come by mail: the same as one in the portal, with the rules of silences and reopening."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile, File
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.access import Actor
from accounts.models import Membership
from accounts.models.tenants import TenantRole
from core.exceptions import DomainError
from core.files import validate_upload
from messaging.inbound import Attached, Refusal
from messaging.receiving import ReplyRefused, content_of
from messaging.services import notify
from tickets import followup
from tickets.live import ticket_topic
from tickets.locks import lock_ticket_in_force
from tickets.models import Ticket
from tickets.services.replies import reply_add, ticket_reopen
from tickets.states import TicketState


@transaction.atomic
def mail_reply_add(
    *, ticket_id: int, tenant_id: int, mail_id: int, sender: str, at: datetime
) -> None:
    """Add a kept mail to its ticket as a reply of its sender, received at ``at``; on an ended ticket it reopens,
    on a merged one it goes to the ticket that this leads to.

    The sender has to be one of the ticket's own customer's authorised people, whoever's reply address was used: people
    forward mail to colleagues. Raises ReplyRefused; after the time for reopening the sender is told so.
    """
    if not Ticket.objects.filter(pk=ticket_id, tenant_id=tenant_id).exists():
        raise ReplyRefused(Refusal.NO_THREAD)
    ticket = lock_ticket_in_force(ticket_id)
    actor = _actor(tenant_id, sender)
    if actor is None:
        raise ReplyRefused(Refusal.SENDER)
    until = followup.reopen_until(resolved=ticket.resolved_at, closed=ticket.closed_at)
    if ticket.state == TicketState.CLOSED and until is not None and at > until:
        _explain(ticket, actor, mail_id, at)
        return
    mail = content_of(mail_id)
    files, refused = _files(mail.files)
    body = "\n".join([mail.text or _("（见附件）"), *refused])
    add = ticket_reopen if ticket.state == TicketState.CLOSED else reply_add
    add(
        ticket_id=ticket.pk,
        body=body,
        actor=actor,
        at=at,
        attachments=files,
        idempotency_key=f"mail-{mail_id}",
    )


def _actor(tenant_id: int, sender: str) -> Actor | None:
    """Return the active authorised person of the tenant with this address, or None."""
    place = (
        Membership.objects.filter(
            tenant_id=tenant_id, is_active=True, user__is_active=True, user__email__iexact=sender
        )
        .select_related("user")
        .first()
    )
    if place is None or not sender:
        return None
    return Actor(
        user=place.user,
        name=str(place.user),
        title=str(TenantRole(place.role).label),
        tenant_id=tenant_id,
    )


def _files(attached: Iterable[Attached]) -> tuple[list[File[Any]], list[str]]:
    """Return the files that may be kept, and a line for each that may not."""
    kept: list[File[Any]] = []
    refused: list[str] = []
    for one in attached:
        file = ContentFile(one.content, name=one.name)
        try:
            validate_upload(file)
        except DomainError as error:
            words = {"name": one.name[:100], "why": error.message}
            refused.append(_("（附件 %(name)s 未接收：%(why)s）") % words)
        else:
            kept.append(file)
    return kept, refused


def _explain(ticket: Ticket, actor: Actor, mail_id: int, at: datetime) -> None:
    """Tell the sender that the ticket is closed too long, and what to do instead."""
    notify(
        "tickets.mail_too_late",
        key=f"mail-{mail_id}",
        audience=[f"user:{actor.user.pk}" if actor.user else "tenant:owner"],
        context={"number": ticket.number, "title": ticket.title},
        url="/support/tickets/new/",
        thread=ticket_topic(ticket.pk),
        tenant_id=ticket.tenant_id,
        at=at,
    )
