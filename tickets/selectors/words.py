"""Finding words in tickets: which way is quicker depends on how often they occur."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Tenant
from core import search
from tickets.models import Ticket, TicketMessage

# Words in more messages than this are likely to fill a page from the newest tickets alone.
FREQUENT, NEWEST = 2000, 5000
Found = QuerySet[Ticket, Any]


def containing(text: str) -> Q:
    """Return the condition for tickets whose number, title, resource, conversation or customer contains ``text``.

    For staff: the words are looked up in both indexes of words.
    """
    if not search.query(text):
        return Q(pk__in=[])
    ids = (
        Ticket.objects.filter(search=search.TextQuery(text))
        .values("pk")
        .union(
            _said(text).values("ticket_id"),
            Ticket.objects.filter(tenant__in=_customers(text)).values("pk"),
        )
    )
    return Q(pk__in=ids)


def newest_containing(tickets: Found, text: str, count: int) -> list[Any]:
    """Return the newest ``count`` of ``tickets`` that contain ``text``. At most three queries.

    The indexes of words give all finds, of a frequent word a good part of all tickets. So for frequent words the newest
    tickets are looked at one by one first; mostly they fill the page.
    """
    newest = tickets.order_by("-id")
    if search.query(text) and _said(text).order_by()[: FREQUENT + 1].count() > FREQUENT:
        near = newest.filter(pk__in=newest.values("pk")[:NEWEST]).filter(
            Q(search=search.TextQuery(text))
            | Q(tenant__in=_customers(text))
            | Q(Exists(_said(text).filter(ticket=OuterRef("pk"))))
        )
        found = list(near[:count])
        if len(found) == count:
            return found
    return list(newest.filter(containing(text))[:count])


def _said(text: str) -> QuerySet[TicketMessage]:
    return TicketMessage.objects.filter(search=search.TextQuery(text))


def _customers(text: str) -> QuerySet[Tenant, Any]:
    return Tenant.objects.filter(name__icontains=text.strip()).values("pk")
