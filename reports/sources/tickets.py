"""Ticket figures from the portal's own tickets."""

from __future__ import annotations

from datetime import datetime
from statistics import median

from django.db.models import Count, Q

from reports.months import month_after, month_before
from reports.sources.base import MonthCount, TicketFigures, TicketRow
from supportplans.states import Severity
from tickets.models import Clock, Ticket
from tickets.selectors.compliance import compliance_of
from tickets.states import ClockKind, ClockOutcome

MONTHS_SHOWN = 6
ROWS_SHOWN = 40
PRODUCTS_SHOWN = 6


class PortalTickets:
    """Reads tickets in the scope of the caller. Eleven queries for any number of tickets."""

    def fetch(self, tenant_id: int, start: datetime, end: datetime) -> TicketFigures:
        """Return the month's figures."""
        mine = Ticket.objects.filter(tenant_id=tenant_id)
        month = mine.filter(created_at__gte=start, created_at__lt=end)
        clocks = Clock.objects.filter(
            tenant_id=tenant_id, kind=ClockKind.FIRST, started_at__gte=start, started_at__lt=end
        )
        compliance = compliance_of(clocks, until=end)
        answered = clocks.filter(outcome=ClockOutcome.ANSWERED)
        spans = [
            (stopped - started).total_seconds()
            for started, stopped in answered.values_list("started_at", "stopped_at")
            if stopped is not None
        ]
        products = (
            month.exclude(product_line=None)
            .values_list("product_line__name")
            .annotate(count=Count("id"))
            .order_by("-count", "product_line__name")[:PRODUCTS_SHOWN]
        )
        return TicketFigures(
            months=self._months(tenant_id, start),
            promised=compliance.promised,
            kept=compliance.kept,
            median_seconds=round(median(spans)) if spans else None,
            by_product=tuple((name, count) for name, count in products),
            rows=tuple(
                TicketRow(t.number, t.title, str(t.category), t.created_at, t.resolved_at)
                for t in month.select_related("category").order_by("created_at")[:ROWS_SHOWN]
            ),
        )

    @staticmethod
    def _months(tenant_id: int, start: datetime) -> tuple[MonthCount, ...]:
        first = start
        for _ in range(MONTHS_SHOWN - 1):
            first = month_before(first)
        counts = []
        month = first
        while month <= start:
            following = month_after(month)
            found = Ticket.objects.filter(
                tenant_id=tenant_id, created_at__gte=month, created_at__lt=following
            ).aggregate(
                urgent=Count("id", filter=Q(severity=Severity.URGENT)),
                general=Count("id", filter=Q(severity=Severity.GENERAL)),
            )
            counts.append(MonthCount(month, found["urgent"], found["general"]))
            month = following
        return tuple(counts)
