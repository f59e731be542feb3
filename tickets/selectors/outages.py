"""What operators see of late timers."""

from __future__ import annotations

from django.db.models import QuerySet

from tickets.models import SweepOutage

SHOWN = 5


def outages_recent() -> QuerySet[SweepOutage]:
    """Return the latest outages of the timers, newest first."""
    return SweepOutage.objects.order_by("-id")[:SHOWN]
