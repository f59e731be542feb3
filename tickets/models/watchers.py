"""Colleagues of the customer who follow a ticket (domain.md §5)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import User
from core.models import Attributed, TenantOwned, Timestamped
from tickets.models.tickets import Ticket


class Watcher(TenantOwned, Timestamped, Attributed):
    """An authorised employee 授权员工 who is told what happens to a ticket. The attributed person added them.

    Customers delete no rows: who follows no longer keeps the row with ``removed_at``.
    """

    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="watchers", db_index=False
    )
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("关注人")
        verbose_name_plural = _("关注人")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "ticket", "user"], name="watcher_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["ticket"], name="watcher_of_ticket")]

    @override
    def __str__(self) -> str:
        return self.name
