"""What belongs together: tickets of one customer, and tickets of many customers that one incident causes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.models import Attributed, TenantOwned, Timestamped
from supportplans.models import ProductLine
from tickets.desk_states import IncidentState, LinkKind
from tickets.models.tickets import Ticket


class TicketLink(TenantOwned, Timestamped, Attributed):
    """A link between two tickets of one customer, who may see it. ``ticket`` is the later one."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="links")
    other = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="linked_from")
    kind = models.CharField(max_length=10, choices=LinkKind.choices)

    class Meta:
        verbose_name = _("工单关联")
        verbose_name_plural = _("工单关联")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "ticket", "other"], name="link_once"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.ticket_id} {self.kind} {self.other_id}"


class Incident(Timestamped, Attributed):
    """One fault that touches many customers. Staff only: a customer never learns who else is touched."""

    title = models.CharField(_("标题"), max_length=120)
    product_line = models.ForeignKey(
        ProductLine,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    state = models.CharField(
        max_length=10, choices=IncidentState.choices, default=IncidentState.OPEN
    )
    over_at = models.DateTimeField(null=True, blank=True)
    over_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        verbose_name = _("关联事件")
        verbose_name_plural = _("关联事件")
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(
                fields=["-created_at"], condition=Q(state=IncidentState.OPEN), name="incident_open"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.title


class IncidentTicket(TenantOwned, Timestamped, Attributed):
    """A ticket that an incident caused; at most one incident per ticket."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="ticket_rows")
    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="incident_rows", db_index=False
    )

    class Meta:
        verbose_name = _("事件工单")
        verbose_name_plural = _("事件工单")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "ticket"], name="one_incident_per_ticket")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.incident_id} {self.ticket_id}"
