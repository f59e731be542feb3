"""Closed sets of values of messages."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    """Ways to a person."""

    INBOX = "inbox", _("站内信")
    EMAIL = "email", _("邮件")


class DeliveryState(models.TextChoices):
    """The life of one delivery."""

    PENDING = "pending", _("待发送")
    DELIVERED = "delivered", _("已送达")
    FAILED = "failed", _("发送失败")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return {"pending": "warn", "delivered": "ok", "failed": "bad"}[self.value]


class InboundWay(models.TextChoices):
    """How a mail came in."""

    WEBHOOK = "webhook", _("回调")
    IMAP = "imap", _("邮箱")


class InboundState(models.TextChoices):
    """The life of a mail that came in."""

    WAITING = "waiting", _("待处理")
    ACCEPTED = "accepted", _("已转入")
    REFUSED = "refused", _("未采纳")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return {"waiting": "warn", "accepted": "ok", "refused": ""}[self.value]
