"""A customer's own tickets."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core import search
from core.clock import day_start
from tickets.models import Ticket, TicketCategory, TicketMessage, Watcher
from tickets.states import TicketState

# Whose turn it is: code, label, states.
TURNS = (
    ("", _("全部"), tuple(TicketState)),
    ("yours", _("待您处理"), (TicketState.WAITING, TicketState.RESOLVED)),
    ("ours", _("我们处理中"), (TicketState.NEW, TicketState.PROCESSING)),
    ("closed", _("已关闭"), (TicketState.CLOSED,)),
)


def ticket_list_for(
    tenant_id: int,
    *,
    turn: str = "",
    text: str = "",
    person: int | None = None,
    product_line: int | None = None,
    severity: str = "",
    since: date | None = None,
    until: date | None = None,
) -> QuerySet[Ticket]:
    """Return a tenant's tickets, newest first: by whose turn it is, found by number, title or conversation.

    ``person`` submitted it or follows it; ``since`` and ``until`` are days of Shanghai, both included.
    """
    states = next((states for code, _label, states in TURNS if code == turn), tuple(TicketState))
    tickets = (
        Ticket.objects.filter(tenant_id=tenant_id, state__in=states)
        .defer("search")
        .select_related("product_line", "assignee")
        .order_by("-created_at", "-id")
    )
    if person:
        watched = Watcher.objects.filter(user_id=person, removed_at=None).values("ticket_id")
        tickets = tickets.filter(Q(actor_id=person) | Q(pk__in=watched))
    if product_line:
        tickets = tickets.filter(product_line_id=product_line)
    if severity:
        tickets = tickets.filter(severity=severity)
    if since:
        tickets = tickets.filter(created_at__gte=day_start(since))
    if until:
        tickets = tickets.filter(created_at__lt=day_start(until + timedelta(days=1)))
    return tickets.filter(matching(text)) if text.strip() else tickets


def turn_counts(tenant_id: int) -> dict[str, int]:
    """Return how many tickets wait for whom. One query, along the tenant's index."""
    of_state = dict(
        Ticket.objects.filter(tenant_id=tenant_id).values_list("state").annotate(count=Count("pk"))
    )
    return {code: sum(of_state.get(state, 0) for state in wanted) for code, _label, wanted in TURNS}


def ticket_for_customer(tenant_id: int, number: str) -> Ticket | None:
    """Return one of the tenant's tickets with what its page names, or None."""
    return (
        Ticket.objects.filter(tenant_id=tenant_id, number=number)
        .defer("search")
        .select_related("category", "product_line", "assignee", "tenant__service_manager")
        .select_related("tenant__account_manager")
        .first()
    )


def matching(text: str) -> Q:
    """Return the condition for tickets whose number, title, resource or conversation contains ``text``."""
    query = search.TextQuery(text)
    if not search.query(text):
        return Q(pk__in=[])
    by_title = Ticket.objects.filter(search=query).values("pk")
    by_message = TicketMessage.objects.filter(search=query).values("ticket_id")
    return Q(pk__in=by_title.union(by_message))


def category_list() -> QuerySet[TicketCategory]:
    """Return the categories that a form offers."""
    return TicketCategory.objects.filter(is_active=True).order_by("kind", "position")
