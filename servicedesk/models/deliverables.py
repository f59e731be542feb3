"""What a service order delivers, and what the customer thinks of it."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.files import private_path
from core.models import Attributed, TenantOwned, Timestamped
from servicedesk.models.service_orders import ServiceOrder
from servicedesk.states import DeliverableKind

SUGGESTION_MAX = 500


class Deliverable(TenantOwned, Timestamped, Attributed):
    """A file of a service order. A file of the same name is the next version; earlier ones stay."""

    service_order = models.ForeignKey(
        ServiceOrder, on_delete=models.PROTECT, related_name="deliverables"
    )
    kind = models.CharField(
        max_length=12, choices=DeliverableKind.choices, default=DeliverableKind.DELIVERABLE
    )
    name = models.CharField(max_length=200)
    version = models.PositiveSmallIntegerField()
    file = models.FileField(upload_to=private_path("deliverables"), max_length=200)
    size = models.PositiveIntegerField()
    content_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    # A risk confirmation letter is confirmed by the customer in the page.
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        verbose_name = _("交付件")
        verbose_name_plural = _("交付件")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "service_order", "kind", "name", "version"],
                name="deliverable_version_once",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class ServiceOrderRating(TenantOwned, Timestamped, Attributed):
    """Two dimensions of 1 to 5 stars and a suggestion, once per service order, editable for seven days."""

    service_order = models.ForeignKey(
        ServiceOrder, on_delete=models.PROTECT, related_name="ratings"
    )
    speed = models.PositiveSmallIntegerField(
        _("响应速度"), validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    quality = models.PositiveSmallIntegerField(
        _("交付物质量"), validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    suggestion = models.CharField(
        _("建议与反馈"), max_length=SUGGESTION_MAX, blank=True, default=""
    )
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("服务评价")
        verbose_name_plural = _("服务评价")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "service_order"], name="service_order_rated_once"
            ),
            models.CheckConstraint(
                condition=Q(speed__gte=1, speed__lte=5, quality__gte=1, quality__lte=5),
                name="stars_one_to_five",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.speed}/{self.quality}"
