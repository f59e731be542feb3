"""Who takes tickets, and what an agent can take back. Staff only."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import StaffMember
from core.models import Attributed, TenantOwned, Timestamped
from tickets.desk_states import ChangeKind
from tickets.models.tickets import Ticket

CAPACITY_DEFAULT, CAPACITY_MOST = 8, 50


class Availability(models.Model):
    """Whether a person of staff takes tickets now, and how many at a time. Nobody takes any before saying so."""

    staff_member = models.OneToOneField(StaffMember, on_delete=models.PROTECT, related_name="+")
    is_accepting = models.BooleanField(_("可接单"), default=False)
    capacity = models.PositiveSmallIntegerField(_("同时处理上限"), default=CAPACITY_DEFAULT)
    changed_at = models.DateTimeField()
    # When the last ticket was dealt: among equally loaded people the one who waited longest is next.
    dealt_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("接单状态")
        verbose_name_plural = _("接单状态")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(capacity__gte=1, capacity__lte=CAPACITY_MOST),
                name="availability_capacity_in_range",
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.staff_member_id} {self.capacity}"


class TicketChange(TenantOwned, Timestamped, Attributed):
    """One thing that an agent changed on one ticket, kept for taking it back.

    ``before`` and ``after`` hold what the kind needs; the changes of one request share ``batch``.
    ``settled_at`` is when it was taken back, or found to have been overtaken.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=ChangeKind.choices)
    before: models.JSONField[Any, Any] = models.JSONField(null=True)
    after: models.JSONField[Any, Any] = models.JSONField(null=True)
    batch = models.UUIDField()
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("可撤销操作")
        verbose_name_plural = _("可撤销操作")
        indexes: ClassVar = [
            models.Index(
                fields=["actor", "-created_at"],
                condition=Q(settled_at__isnull=True),
                name="change_to_take_back",
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.created_at:%Y-%m-%d %H:%M:%S}"
