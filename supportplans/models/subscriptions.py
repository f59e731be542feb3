"""What a tenant has: the subscription, what was paid for it, and its history (domain.md §2)."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.models import Attributed, TenantOwned, Timestamped
from supportplans.models.plans import Plan
from supportplans.states import SUBSCRIPTION_MOVES, Basis, LineKind, SubscriptionState


class Subscription(TenantOwned, Timestamped):
    """A plan that a tenant has for a time. Standard service is the absence of one."""

    # What orders and the unsubscription page call the resource.
    resource_id = models.UUIDField(default=uuid.uuid4, editable=False)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    basis = models.CharField(max_length=10, choices=Basis.choices)
    state = models.CharField(
        max_length=10, choices=SubscriptionState.choices, default=SubscriptionState.ACTIVE
    )
    # Ends are counted in calendar years from the anchor, so that a 29 February finds back to itself.
    anchor = models.DateTimeField()
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("订阅")
        verbose_name_plural = _("订阅")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(state=SubscriptionState.ACTIVE),
                name="subscription_one_active",
            ),
            models.CheckConstraint(
                condition=Q(ends__gt=F("starts")), name="subscription_ends_after_it_starts"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["ends"],
                condition=Q(state=SubscriptionState.ACTIVE),
                name="subscription_due",
            ),
            models.Index(fields=["tenant", "-starts"], name="subscription_by_tenant"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.tenant_id} {self.plan_id} {self.starts:%Y-%m-%d}"

    def can_become(self, state: str) -> bool:
        """Return True if the transition table allows the move."""
        return state in SUBSCRIPTION_MOVES[self.state]

    @property
    def shown_end(self) -> datetime:
        """Return the end that is shown: the instant of leaving once the customer has left (domain.md §2)."""
        return self.ended_at or self.ends


class PaidLine(TenantOwned):
    """One immutable line of what was bought: the prices between two levels, over a time (domain.md §2).

    A purchase or renewal covers 0 → p over its term; an upgrade p → q over what remained of one. A downgrade or leaving
    closes lines; a correction is a new line.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="paid_lines"
    )
    order_number = models.CharField(max_length=20)
    kind = models.CharField(max_length=10, choices=LineKind.choices)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    # Daily list prices are monthly × 12 / 365; the exact monthly figures are kept, not the rounded quotient.
    from_monthly = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal("0.00"))
    monthly = models.DecimalField(max_digits=12, decimal_places=2)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    bought_at = models.DateTimeField()
    paid_days = models.PositiveSmallIntegerField()
    list_amount = models.DecimalField(max_digits=12, decimal_places=2)
    coupon_amount = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal("0.00"))
    voucher_amount = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal("0.00"))
    cash = models.JSONField(default=dict)  # method -> amount as text with two places
    closed_at = models.DateTimeField(null=True, blank=True)
    # What a closed line has earned: its cash but what was refunded and what its replacement carries on.
    settled_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)

    class Meta:
        verbose_name = _("付费明细")
        verbose_name_plural = _("付费明细")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    list_amount__gte=0, coupon_amount__gte=0, voucher_amount__gte=0, monthly__gte=0
                ),
                name="paid_line_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(ends__gt=F("starts")), name="paid_line_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, settled_amount=None)
                | Q(closed_at__isnull=False, settled_amount__gte=0),
                name="paid_line_settled_when_closed",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "subscription"], name="paid_lines_of_subscription")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.order_number} {self.kind}"


class SubscriptionEvent(TenantOwned, Timestamped, Attributed):
    """One line of a subscription's history."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="history")
    kind = models.CharField(max_length=20)
    from_plan = models.CharField(max_length=20, blank=True, default="")
    to_plan = models.CharField(max_length=20, blank=True, default="")
    noticed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("订阅记录")
        verbose_name_plural = _("订阅记录")
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "subscription", "created_at"], name="subscription_history"
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.created_at:%Y-%m-%d %H:%M}"


class SubscriptionNotice(TenantOwned, Timestamped):
    """A notice before the end that was sent, once per subscription, end and distance (domain.md §2)."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="notices")
    ends = models.DateTimeField()
    days = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("到期提醒")
        verbose_name_plural = _("到期提醒")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "subscription", "ends", "days"], name="end_notice_once"
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.days} d before {self.ends:%Y-%m-%d}"
