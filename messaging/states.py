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
