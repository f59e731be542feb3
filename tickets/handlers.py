"""Reactions to what happens on lower floors. They run in the publisher's transaction."""

from __future__ import annotations

from accounts.access import SYSTEM
from core.events import subscribe
from core.jobs import enqueue
from messaging.events import ReplyReceived
from supportplans.events import LinkChanged, SubscriptionChanged
from supportplans.states import PlanCode
from tickets.events import TicketReopened, TicketSubmitted
from tickets.live import ticket_of_topic
from tickets.services.coverages import tenant_coverage_apply
from tickets.services.mail_replies import mail_reply_add

_RANKS = list(PlanCode.values)


@subscribe(SubscriptionChanged)
def subscription_changed(event: SubscriptionChanged) -> None:
    """Give a tenant's open tickets their new place and, after a step up, their shorter clocks."""
    if event.from_plan == event.to_plan:
        return
    tenant_coverage_apply(
        tenant_id=event.tenant_id,
        actor=SYSTEM,
        at=event.at,
        upgraded=_RANKS.index(event.to_plan) > _RANKS.index(event.from_plan),
    )


@subscribe(LinkChanged)
def link_changed(event: LinkChanged) -> None:
    """Move a linked account's open tickets to its principal's place, or back; clocks keep the own plan's targets."""
    tenant_coverage_apply(tenant_id=event.tenant_id, actor=SYSTEM, at=event.at)


@subscribe(TicketSubmitted)
def ticket_submitted(_event: TicketSubmitted) -> None:
    """Wake the worker that deals tickets: who works is not for a customer's transaction to see."""
    enqueue("tickets.tickets_deal")


@subscribe(TicketReopened)
def ticket_reopened(_event: TicketReopened) -> None:
    """Wake the worker that deals tickets."""
    enqueue("tickets.tickets_deal")


@subscribe(ReplyReceived)
def reply_received(event: ReplyReceived) -> None:
    """Add a reply that came by mail to its ticket."""
    ticket_id = ticket_of_topic(event.thread)
    if ticket_id is not None:
        mail_reply_add(
            ticket_id=ticket_id,
            tenant_id=event.tenant_id,
            mail_id=event.mail_id,
            sender=event.sender,
            at=event.at,
        )
