"""Row locks of this app."""

from __future__ import annotations

from django.db.models import QuerySet

from servicedesk.models import ServiceOrder


def lock_service_orders() -> QuerySet[ServiceOrder]:
    """Return service orders that are locked when read."""
    return ServiceOrder.objects.select_for_update(of=("self",)).order_by("pk")
