"""Where the figures of a report come from: fetched at the time, never kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class TicketRow:
    """One ticket of the month, as the report lists it."""

    number: str
    title: str
    category: str
    submitted_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True)
class MonthCount:
    """Tickets of one month by severity."""

    month: datetime
    urgent: int
    general: int

    @property
    def total(self) -> int:
        """Return all tickets of the month."""
        return self.urgent + self.general


@dataclass(frozen=True)
class TicketFigures:
    """What the ticket chapter is made of. ``months`` ends with the report's month; seconds are of first responses."""

    months: tuple[MonthCount, ...]
    promised: int
    kept: int
    median_seconds: int | None
    by_product: tuple[tuple[str, int], ...]
    rows: tuple[TicketRow, ...]


class TicketSource(Protocol):
    """Gives the ticket figures of a tenant's month."""

    def fetch(self, tenant_id: int, start: datetime, end: datetime) -> TicketFigures:
        """Return the figures of the month from ``start`` to ``end`` and the five months before it."""
