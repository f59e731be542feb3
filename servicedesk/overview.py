"""What the customers' overview shows of service orders: those under way, and what can be rated."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from servicedesk.models import ServiceOrder
from servicedesk.states import State
from supportplans.overview import Section, overview_section

SHOWN = 4


@overview_section(position=20)
def service_orders_section(tenant_id: int, _at: datetime) -> Section:
    """Return the newest service orders that are open or not rated yet. One query."""
    wanted = Q(state__in=[State.REQUESTED, State.IN_PROGRESS]) | Q(
        state=State.COMPLETED, ratings=None
    )
    orders = ServiceOrder.objects.filter(wanted, tenant_id=tenant_id).select_related("item")
    return Section("servicedesk/overview_section.html", {"orders": orders.order_by("-id")[:SHOWN]})
