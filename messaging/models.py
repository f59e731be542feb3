"""The outbox, and what became of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import Tenant, User
from core.models import Timestamped
from messaging.inbound import Refusal
from messaging.states import Channel, DeliveryState, InboundState, InboundWay


class Message(Timestamped):
    """Something that people must be told, written in the transaction that causes it.

    ``audience`` names people in words (see ``messaging.audiences``); the worker finds out who they are. Customers can
    add messages, not read them.
    """

    # Found by ``message_once``, which begins with it.
    tenant = models.ForeignKey(
        Tenant, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=120)
    audience = models.JSONField()
    context = models.JSONField(default=dict)
    url = models.CharField(max_length=200, blank=True, default="")
    # Where the same matter is on the desks of staff.
    staff_url = models.CharField(max_length=200, blank=True, default="")
    # The conversation that it belongs to ("ticket-17"): its mails refer to each other and can be answered.
    thread = models.CharField(max_length=60, blank=True, default="")
    expanded_at = models.DateTimeField(null=True, blank=True)
    # A message that cannot be expanded or rendered shows its error to operators here.
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("消息")
        verbose_name_plural = _("消息")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "key"], nulls_distinct=False, name="message_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(expanded_at=None), name="message_to_expand"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Delivery(Timestamped):
    """One message to one person by one channel, rendered in that person's language.

    The tenant is empty for people of staff: no customer's transaction sees what staff is told.
    """

    tenant = models.ForeignKey(
        Tenant, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Not a link for the database: a customer may read the delivery, never the message behind it.
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="deliveries")
    recipient = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    state = models.CharField(
        max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING
    )
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True, default="")
    html = models.TextField(blank=True, default="")
    url = models.CharField(max_length=200, blank=True, default="")
    thread = models.CharField(max_length=60, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("投递")
        verbose_name_plural = _("投递")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "message", "recipient", "channel"],
                nulls_distinct=False,
                name="delivery_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state=DeliveryState.PENDING),
                name="delivery_due",
            ),
            models.Index(
                fields=["recipient", "-id"],
                condition=Q(channel=Channel.INBOX),
                name="delivery_inbox",
            ),
            models.Index(
                fields=["recipient"],
                condition=Q(channel=Channel.INBOX, read_at=None),
                name="delivery_unread",
            ),
            models.Index(
                fields=["-id"], condition=Q(state=DeliveryState.FAILED), name="delivery_failed"
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.subject


class InboundMail(Timestamped):
    """A mail that came in, and what became of it. ``created_at`` is the instant of receipt. Staff only: it comes
    before anyone knows whose it is.

    ``raw`` is the mail as it came, until it is deleted after a while; the line stays.
    """

    message_id = models.CharField(max_length=300)
    way = models.CharField(max_length=10, choices=InboundWay.choices)
    raw = models.FileField(upload_to="inbound/%Y/%m", max_length=200)
    size = models.PositiveIntegerField()
    sender = models.CharField(max_length=254, blank=True, default="")
    subject = models.CharField(max_length=200, blank=True, default="")
    thread = models.CharField(max_length=60, blank=True, default="")
    state = models.CharField(
        max_length=10, choices=InboundState.choices, default=InboundState.WAITING
    )
    refusal = models.CharField(max_length=20, choices=Refusal.choices, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = _("来信")
        verbose_name_plural = _("来信")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message_id"], name="inbound_mail_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="inbound_mail_due",
            ),
            models.Index(fields=["state", "-id"], name="inbound_mail_by_state"),
        ]

    @override
    def __str__(self) -> str:
        return self.subject or self.message_id

    @property
    def state_enum(self) -> InboundState:
        """Return the state with its label and colour."""
        return InboundState(self.state)
