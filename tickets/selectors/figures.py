"""Figures of a customer's month for reports (domain.md §5, §8). Only promised clocks count in compliance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncMonth

from core.clock import SHANGHAI, local
from supportplans.states import Severity
from tickets.models import Clock, Ticket
from tickets.selectors.compliance import Compliance, compliance_of
from tickets.states import TicketKind

PREVIOUS_MONTHS = 5
TICKETS_LISTED = 500


@dataclass(frozen=True)
class TicketLine:
    """One ticket of the month. ``resolved`` is empty while it is open."""

    number: str
    title: str
    category: str
    created: datetime
    resolved: datetime | None


@dataclass(frozen=True)
class MonthlyTicketFigures:
    """Figures of the tickets received in [start, end). Counts per label.

    ``compliance`` is that of the clocks (first and next responses) that started in the time. ``previous`` holds
    (month's first instant, tickets) of the months before, oldest first. ``median_first_response_seconds`` is over the
    first responses of the month's tickets.
    """

    total: int
    by_severity: dict[str, int]
    by_kind: dict[str, int]
    by_product_line: dict[str, int]
    previous: list[tuple[datetime, int]]
    compliance: Compliance
    median_first_response_seconds: int | None
    tickets: list[TicketLine]


def monthly_figures(
    tenant_id: int, start: datetime, end: datetime, *, at: datetime
) -> MonthlyTicketFigures:
    """Return the figures of one tenant's tickets received in [start, end), as known at ``at``. Three queries."""
    tickets = list(
        Ticket.objects.filter(tenant_id=tenant_id, created_at__gte=start, created_at__lt=end)
        .select_related("category", "product_line")
        .defer("search")
        .order_by("created_at", "id")
    )
    compliance = compliance_of(
        Clock.objects.filter(tenant_id=tenant_id, started_at__gte=start, started_at__lt=end),
        until=min(end, at),
    )
    waits = sorted(
        int((ticket.first_response_at - ticket.created_at).total_seconds())
        for ticket in tickets
        if ticket.first_response_at
    )
    return MonthlyTicketFigures(
        total=len(tickets),
        by_severity=_counted(tickets, "severity", Severity.choices),
        by_kind=_counted(tickets, "kind", TicketKind.choices),
        by_product_line=_by_product_line(tickets),
        previous=_previous(tenant_id, start),
        compliance=compliance,
        median_first_response_seconds=median(waits),
        tickets=[
            TicketLine(
                number=ticket.number,
                title=ticket.title,
                category=str(ticket.category or ticket.get_kind_display()),
                created=ticket.created_at,
                resolved=ticket.resolved_at,
            )
            for ticket in tickets[:TICKETS_LISTED]
        ],
    )


def median(ordered: list[int]) -> int | None:
    """Return the middle of ordered values (of two middles the mean, whole), None of none."""
    if not ordered:
        return None
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) // 2


def _previous(tenant_id: int, start: datetime) -> list[tuple[datetime, int]]:
    first = local(start).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = [first]
    for _ in range(PREVIOUS_MONTHS):
        year, month = (
            (months[0].year, months[0].month - 1)
            if months[0].month > 1
            else (months[0].year - 1, 12)
        )
        months.insert(0, months[0].replace(year=year, month=month))
    rows = (
        Ticket.objects.filter(
            tenant_id=tenant_id, created_at__gte=months[0], created_at__lt=months[-1]
        )
        .order_by()
        .values_list(TruncMonth("created_at", tzinfo=SHANGHAI))
        .annotate(count=Count("pk"))
    )
    counts = dict(rows)
    return [(month, counts.get(month, 0)) for month in months[:-1]]


def _counted(tickets: list[Ticket], field: str, labels: list[tuple[str, Any]]) -> dict[str, int]:
    """Return how many tickets have each value, by label, in the order of the labels; values without tickets are 0."""
    return {
        str(label): sum(getattr(ticket, field) == value for ticket in tickets)
        for value, label in labels
    }


def _by_product_line(tickets: list[Ticket]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for ticket in tickets:
        if ticket.product_line is not None:
            name = str(ticket.product_line)
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
