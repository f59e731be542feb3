"""Staff's search over all tickets: words in Chinese and Latin, filters, keyset pages, the finds marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Value

from accounts.models import StaffMember
from core import search
from core.clock import SHANGHAI
from tickets.models import SavedView, Ticket, TicketMessage, TicketTag
from tickets.selectors.words import containing, newest_containing
from tickets.states import OPEN_STATES

PAGE_SIZE = 50
COUNT_CAP = 99
VIEWS_SHOWN = 30
EXPORT_MOST = 10_000
SNIPPET = 90
OPEN, NOBODY = "open", "none"
Pieces = list[tuple[str, bool]]


@dataclass(frozen=True)
class Filters:
    """What is searched by; empty is all. ``since`` and ``until`` are days of submission in Shanghai, both included."""

    text: str = ""
    state: str = ""
    severity: str = ""
    plan: str = ""
    desk: str = ""
    assignee: str = ""
    product: str = ""
    tag: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Hit:
    """One ticket that was found, with what was found marked in its title, its customer and its conversation."""

    ticket: Ticket
    title: Pieces
    customer: Pieces
    snippet: Pieces


@dataclass(frozen=True)
class Hits:
    """A page of hits and the key from which the next one goes on; None on the last page."""

    rows: list[Hit]
    next_after: str | None


def tickets_found(filters: Filters) -> QuerySet[Ticket]:
    """Return the tickets that match, the newest first."""
    tickets = Ticket.objects.filter(_conditions(filters)).order_by("-id")
    return tickets.filter(containing(filters.text)) if filters.text.strip() else tickets


def search_page(filters: Filters, *, after: str = "") -> Hits:
    """Return a page of hits. At most four queries, one without words to look for."""
    shown = Ticket.objects.filter(_conditions(filters)).defer("search")
    shown = _after(shown.select_related("tenant", "assignee", "product_line"), after)
    if filters.text.strip():
        found = newest_containing(shown, filters.text, PAGE_SIZE + 1)
    else:
        found = list(shown.order_by("-id")[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE]
    said = _said(page, filters.text) if filters.text.strip() else {}
    rows = [
        Hit(
            ticket,
            search.marked(ticket.title, filters.text),
            search.marked(ticket.tenant.name, filters.text),
            search.marked(said[ticket.pk], filters.text, width=SNIPPET)
            if ticket.pk in said
            else [],
        )
        for ticket in page
    ]
    return Hits(rows, str(page[-1].pk) if len(found) > PAGE_SIZE else None)


def export_tickets(filters: Filters) -> Iterator[Ticket]:
    """Return the newest ``EXPORT_MOST`` tickets that match, with what a file names."""
    found = tickets_found(filters).defer("search")
    related = found.select_related("tenant", "assignee", "product_line", "category")
    return related[:EXPORT_MOST].iterator(chunk_size=1000)


def views_for(staff: StaffMember) -> list[SavedView]:
    """Return a person's own views, then the team's, each by name. One query."""
    mine_or_shared = Q(owner=staff) | Q(is_shared=True)
    return list(
        SavedView.objects.filter(mine_or_shared).order_by("is_shared", "name")[:VIEWS_SHOWN]
    )


def counts_of(views: Iterable[tuple[int, Filters]]) -> dict[int, str]:
    """Return how many tickets each view finds, ``99+`` beyond 99. One query that reads at most 100 rows of each."""
    parts = {
        pk: tickets_found(filters)
        .order_by()
        .annotate(view=Value(pk))
        .values_list("view", flat=True)[: COUNT_CAP + 1]
        for pk, filters in views
    }
    if not parts:
        return {}
    first, *others = parts.values()
    found = Counter(first.union(*others, all=True) if others else first)
    return {pk: f"{COUNT_CAP}+" if found[pk] > COUNT_CAP else str(found[pk]) for pk in parts}


def _conditions(filters: Filters) -> Q:
    wanted = Q()
    for name, value in (
        ("severity", filters.severity),
        ("plan_code", filters.plan),
        ("desk", filters.desk),
        ("product_line", filters.product),
    ):
        if value:
            wanted &= Q((name, value))
    if filters.state:
        wanted &= Q(state__in=OPEN_STATES) if filters.state == OPEN else Q(state=filters.state)
    if filters.assignee:
        nobody = filters.assignee == NOBODY
        wanted &= Q(assignee=None) if nobody else Q(assignee=int(filters.assignee))
    if filters.tag:
        wanted &= Q(Exists(TicketTag.objects.filter(ticket=OuterRef("pk"), tag=int(filters.tag))))
    if filters.since:
        wanted &= Q(created_at__gte=_midnight(filters.since))
    if filters.until:
        wanted &= Q(created_at__lt=_midnight(filters.until + timedelta(days=1)))
    return wanted


def _said(tickets: list[Ticket], text: str) -> dict[int, str]:
    """Return what was said with the words in it, the first message of each ticket."""
    found = TicketMessage.objects.filter(
        ticket__in=[ticket.pk for ticket in tickets], search=search.TextQuery(text)
    )
    first = found.order_by("ticket_id", "created_at", "id").distinct("ticket_id")
    return dict(first.values_list("ticket_id", "body"))


def _after(tickets: QuerySet[Ticket], after: str) -> QuerySet[Ticket]:
    """Go on behind the row that ``after`` names; what cannot be read starts from the top."""
    readable = after.isdecimal() and len(after) < 19  # noqa: PLR2004  (an id)
    return tickets.filter(pk__lt=int(after)) if readable else tickets


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=SHANGHAI)
