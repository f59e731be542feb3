"""What a lead watches: promises that break within half an hour, who has how much to do, today's compliance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import StaffMember
from core.clock import local
from supportplans.states import PlanCode
from tickets.selectors.compliance import Compliance, compliance_table
from tickets.selectors.queue import QueueTicket, Row, queue_counts, rows_of
from tickets.selectors.statistics import Load, load_per_agent

AHEAD = timedelta(minutes=30)
SHOWN, LATE_SHOWN = 50, 20


@dataclass(frozen=True)
class Wall:
    """The wall at an instant. ``late`` are those that are late for longest, ``late_count`` says how many there are."""

    soon: list[Row]
    late: list[Row]
    late_count: str
    lag_seconds: float
    loads: list[Load]
    total: Compliance
    by_plan: list[tuple[str, Compliance]]


def wall_at(at: datetime, *, staff: StaffMember) -> Wall:
    """Return what the wall shows. Six queries along indexes; their cost does not grow with the table."""
    waiting = rows_of("").filter(due_at__isnull=False)
    soon = waiting.filter(due_at__gt=at, due_at__lte=at + AHEAD).order_by("due_at", "id")
    late = waiting.filter(due_at__lte=at).order_by("due_at", "id")
    counts = queue_counts(desk="", staff=staff, at=at)
    midnight = local(at).replace(hour=0, minute=0, second=0, microsecond=0)
    today = compliance_table(midnight, midnight + timedelta(days=1), until=at)
    return Wall(
        soon=[Row(QueueTicket._make(found), at) for found in soon[:SHOWN]],
        late=[Row(QueueTicket._make(found), at) for found in late[:LATE_SHOWN]],
        late_count=counts.of["late"],
        lag_seconds=counts.lag_seconds,
        loads=load_per_agent(),
        total=today.total,
        by_plan=[
            (str(label), today.by_plan[code])
            for code, label in PlanCode.choices
            if code in today.by_plan
        ],
    )
