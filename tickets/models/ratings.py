"""What the customer thought of the help."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.models import Attributed, TenantOwned, Timestamped
from tickets.models.tickets import Ticket
from tickets.states import RatingReason


class Rating(TenantOwned, Timestamped, Attributed):
    """One rating per ticket: 1 (very dissatisfied) to 5 (very satisfied), with reasons and a comment."""

    ticket = models.ForeignKey(
        Ticket, on_delete=models.PROTECT, related_name="ratings", db_index=False
    )
    score = models.PositiveSmallIntegerField()
    reasons = ArrayField(
        models.CharField(max_length=20, choices=RatingReason.choices), default=list, blank=True
    )
    comment = models.CharField(_("评价"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("工单评价")
        verbose_name_plural = _("工单评价")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "ticket"], name="rating_once_per_ticket"),
            models.CheckConstraint(
                condition=Q(score__gte=1, score__lte=5), name="rating_one_to_five"
            ),
        ]

    @property
    def reason_words(self) -> list[str]:
        """Return the reasons in words."""
        return [str(RatingReason(reason).label) for reason in self.reasons]

    @override
    def __str__(self) -> str:
        return str(self.score)
