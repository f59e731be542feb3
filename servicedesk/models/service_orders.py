"""Service orders 服务单 and their history."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import StaffMember
from core.models import Attributed, TenantOwned, Timestamped
from servicedesk.states import MOVES, DeliveryWay, Origin, Scenario, State
from supportplans.models import ServiceItem


class ServiceOrder(TenantOwned, Timestamped, Attributed):
    """One service that is asked for or given, from filing to rating."""

    number = models.CharField(_("服务单号"), max_length=20)
    item = models.ForeignKey(ServiceItem, on_delete=models.PROTECT, related_name="+")
    scenario = models.CharField(
        _("提供场景"), max_length=20, choices=Scenario.choices, blank=True, default=""
    )
    origin = models.CharField(_("来源"), max_length=10, choices=Origin.choices)
    contact = models.CharField(_("对接人名称"), max_length=100)
    delivery = models.CharField(_("提供方式"), max_length=10, choices=DeliveryWay.choices)
    # What this item needs beyond the common fields, as label -> value.
    fields = models.JSONField(default=dict, blank=True)
    state = models.CharField(_("服务状态"), max_length=12, choices=State.choices)
    reason = models.CharField(_("原因"), max_length=300, blank=True, default="")
    handler = models.ForeignKey(
        StaffMember, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(_("完成时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("服务单")
        verbose_name_plural = _("服务单")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "number"], name="service_order_number_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-id"], name="service_order_by_tenant"),
            models.Index(fields=["number"], name="service_order_by_number"),
            models.Index(fields=["state", "-id"], name="service_order_by_state"),
            models.Index(
                fields=["id"],
                condition=Q(state__in=["requested", "in_progress"]),
                name="service_order_open",
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        """Return the customer's page."""
        return reverse("servicedesk:service_order_detail", args=[self.number])

    def can_become(self, state: str) -> bool:
        """Return True if the transition table allows the move."""
        return state in MOVES[self.state]

    @property
    def state_colour(self) -> str:
        """Return the colour of the state's chip."""
        return State(self.state).colour


class ServiceOrderEvent(TenantOwned, Timestamped, Attributed):
    """One line of a service order's history: who, when, what."""

    service_order = models.ForeignKey(
        ServiceOrder, on_delete=models.PROTECT, related_name="history"
    )
    to_state = models.CharField(max_length=12, choices=State.choices, blank=True, default="")
    text = models.CharField(max_length=300)

    class Meta:
        verbose_name = _("服务单记录")
        verbose_name_plural = _("服务单记录")

    @override
    def __str__(self) -> str:
        return self.text
