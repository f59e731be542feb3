"""Numbers beside the queue that each person has their own of."""

from __future__ import annotations

from django.db.models import Count

from tickets.models import Ticket
from tickets.selectors.queue import COUNT_CAP
from tickets.states import OPEN_STATES


def mine_counts() -> dict[str, str]:
    """Return the number of open tickets of everybody who has some, by the card's id, ``99+`` beyond 99. One query."""
    counted = (
        Ticket.objects.filter(state__in=OPEN_STATES, assignee__isnull=False)
        .order_by()
        .values_list("assignee_id")
        .annotate(count=Count("pk"))
    )
    return {
        str(staff_id): f"{COUNT_CAP}+" if count > COUNT_CAP else str(count)
        for staff_id, count in counted
    }
