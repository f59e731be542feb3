"""Reading messages."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import User
from messaging.models import Delivery, InboundMail, Message
from messaging.states import Channel, DeliveryState

COUNT_CAP = 100


def inbox_for(user: User) -> QuerySet[Delivery]:
    """Return a person's in-site messages, newest first."""
    return Delivery.objects.filter(recipient=user, channel=Channel.INBOX).order_by("-id")


def unread_count_for(user: User) -> int:
    """Return how many are unread, counted up to a cap."""
    return inbox_for(user).filter(read_at=None)[:COUNT_CAP].count()


def deliveries_failed() -> QuerySet[Delivery]:
    """Return what was given up, newest first."""
    return (
        Delivery.objects.filter(state=DeliveryState.FAILED)
        .select_related("recipient", "message")
        .order_by("-id")
    )


def messages_stuck() -> QuerySet[Message]:
    """Return messages that could not be turned into deliveries."""
    return Message.objects.filter(expanded_at=None, attempts__gt=0).order_by("-id")


def inbound_mails(state: str = "") -> QuerySet[InboundMail]:
    """Return the mails that came in, newest first, all or of one state."""
    mails = InboundMail.objects.order_by("-id")
    return mails.filter(state=state) if state else mails
