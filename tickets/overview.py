"""What the customers' overview shows of tickets: whose turn it is, and those that are not closed."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, Value, When

from supportplans.overview import Section, overview_section
from tickets.selectors import tickets as selectors
from tickets.states import TicketState

SHOWN = 5


@overview_section(position=10)
def tickets_section(tenant_id: int, _at: datetime) -> Section:
    """Return the tickets that are not closed: what waits for the customer first, then newest. Two queries."""
    counts = selectors.turn_counts(tenant_id)
    yours = When(state__in=[TicketState.WAITING, TicketState.RESOLVED], then=Value(0))
    tickets = (
        selectors.ticket_list_for(tenant_id)
        .exclude(state=TicketState.CLOSED)
        .order_by(Case(yours, default=Value(1)), "-created_at", "-id")[:SHOWN]
    )
    context = {"yours": counts["yours"], "ours": counts["ours"], "tickets": tickets}
    return Section("tickets/overview_section.html", context)
