"""Tags of tickets. Staff's scope only."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, Q

from tickets.models import Tag, TicketTag
from tickets.states import OPEN_STATES


def tags_of(ticket_ids: Collection[int]) -> dict[int, list[Tag]]:
    """Return the tags of tickets, each in the catalogue's order. One query."""
    found: dict[int, list[Tag]] = {}
    rows = TicketTag.objects.filter(ticket__in=ticket_ids).select_related("tag")
    for row in rows.order_by("tag__position", "tag_id"):
        found.setdefault(row.ticket_id, []).append(row.tag)
    return found


def tag_choices(chosen: Collection[Tag] = ()) -> list[Tag]:
    """Return the catalogue, with what a ticket has though it is not offered any more."""
    wanted = Q(is_active=True) | Q(pk__in=[tag.pk for tag in chosen])
    return list(Tag.objects.filter(wanted))


def tag_counts() -> list[tuple[Tag, int]]:
    """Return the catalogue with the number of open tickets that have each tag. Two queries."""
    rows = TicketTag.objects.filter(ticket__state__in=OPEN_STATES).values_list("tag").order_by()
    counts = dict(rows.annotate(count=Count("pk")))
    return [(tag, counts.get(tag.pk, 0)) for tag in tag_choices()]
