"""How fast answers came, how much is left to do, who does it, and what customers think of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Min, Q

from accounts.models import StaffMember
from tickets.models import Availability, Rating, Ticket
from tickets.states import DONE_STATES, OPEN_STATES

# Where one bar of the distribution ends and the next begins, in minutes.
BARS = (1, 2, 5, 10, 15, 30, 60)


@dataclass(frozen=True)
class ResponseTimes:
    """How long customers waited for answers: the middle, the time that 90 % stayed within, and answers per bar."""

    answered: int
    p50_seconds: int | None
    p90_seconds: int | None
    bars: tuple[int, ...]


# Whole seconds and how many answers took so long: quicker than sorting every answer by itself.
_TIMES = """
SELECT extract(epoch FROM stopped_at - started_at)::bigint AS seconds, count(*)
  FROM tickets_clock
 WHERE outcome = 'answered' AND started_at >= %(start)s AND started_at < %(end)s
   AND (%(plan)s = '' OR plan_code = %(plan)s)
   AND (%(severity)s = '' OR severity = %(severity)s)
   AND (%(kind)s = '' OR kind = %(kind)s)
 GROUP BY seconds ORDER BY seconds
"""


def response_times(
    start: datetime, end: datetime, *, plan: str = "", severity: str = "", kind: str = ""
) -> ResponseTimes:
    """Return how fast the clocks that started in [start, end) were answered, promised or not. One query."""
    values: dict[str, Any] = {"start": start, "end": end, "plan": plan, "severity": severity}
    with connection.cursor() as cursor:
        cursor.execute(_TIMES, {**values, "kind": kind})
        found: list[tuple[int, int]] = cursor.fetchall()
    bars = [0] * (len(BARS) + 1)
    for seconds, answers in found:
        bars[bisect_right(BARS, seconds / 60)] += answers
    return ResponseTimes(
        answered=sum(bars),
        p50_seconds=_share_within(found, 50, sum(bars)),
        p90_seconds=_share_within(found, 90, sum(bars)),
        bars=tuple(bars),
    )


def _share_within(found: list[tuple[int, int]], percent: int, total: int) -> int | None:
    """Return the seconds within which ``percent`` of all answers came, None of none."""
    seen = 0
    for seconds, answers in found:
        seen += answers
        if 100 * seen >= percent * total:
            return seconds
    return None


_BACKLOG = """
SELECT (SELECT count(*) FROM tickets_ticket WHERE state IN %(open)s),
       (SELECT json_object_agg(slot, tickets) FROM (
          SELECT width_bucket(created_at, %(points)s::timestamptz[]) AS slot, count(*) AS tickets
            FROM tickets_ticket WHERE created_at >= %(first)s GROUP BY slot) AS created),
       (SELECT json_object_agg(slot, tickets) FROM (
          SELECT width_bucket(resolved_at, %(points)s::timestamptz[]) AS slot, count(*) AS tickets
            FROM tickets_ticket WHERE state IN %(done)s AND resolved_at >= %(first)s GROUP BY slot) AS solved)
"""


def backlog(points: Sequence[datetime]) -> list[int]:
    """Return how many tickets were open at each of ``points``, which ascend. One query.

    Counted back from what is open now: a ticket that was reopened counts as open all along.
    """
    values: dict[str, Any] = {
        "points": list(points),
        "first": points[0],
        "open": tuple(OPEN_STATES),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOG, {**values, "done": tuple(DONE_STATES)})
        left, created, solved = cursor.fetchone()
    counts = []
    for slot in range(len(points), 0, -1):  # slot n lies between points n and n + 1
        left += (solved or {}).get(str(slot), 0) - (created or {}).get(str(slot), 0)
        counts.append(left)
    return counts[::-1]


@dataclass(frozen=True)
class Load:
    """What one agent has at hand: open tickets, those that wait for an answer, and the nearest deadline.

    ``capacity`` is how many they work on at a time, None for who never said so.
    """

    staff_id: int
    name: str
    title: str
    is_accepting: bool
    capacity: int | None
    open: int
    waiting: int
    oldest: datetime | None
    next_due: datetime | None

    @property
    def is_full(self) -> bool:
        """Return True for who has as much as they can do."""
        return self.capacity is not None and self.open >= self.capacity


def load_per_agent() -> list[Load]:
    """Return the load of everybody who has open tickets or takes some, the fullest first. Two queries."""
    loads = {
        row.staff_member_id: Load(
            staff_id=row.staff_member_id,
            name=row.staff_member.display_name,
            title=row.staff_member.title,
            is_accepting=row.is_accepting,
            capacity=row.capacity,
            open=0,
            waiting=0,
            oldest=None,
            next_due=None,
        )
        for row in Availability.objects.select_related("staff_member")
    }
    rows = (
        Ticket.objects.filter(state__in=OPEN_STATES, assignee__isnull=False)
        .values("assignee_id", "assignee__display_name", "assignee__title")
        .annotate(
            open=Count("pk"),
            waiting=Count("pk", filter=Q(due_at__isnull=False)),
            oldest=Min("created_at"),
            next_due=Min("due_at"),
        )
    )
    for row in rows.order_by():
        known = loads.get(row["assignee_id"])
        loads[row["assignee_id"]] = Load(
            staff_id=row["assignee_id"],
            name=row["assignee__display_name"],
            title=row["assignee__title"],
            is_accepting=known is not None and known.is_accepting,
            capacity=known.capacity if known else None,
            open=row["open"],
            waiting=row["waiting"],
            oldest=row["oldest"],
            next_due=row["next_due"],
        )
    shown = [load for load in loads.values() if load.open or load.is_accepting]
    return sorted(shown, key=lambda load: (-load.open, load.name))


@dataclass(frozen=True)
class Ratings:
    """Ratings per score, from 5 down to 1."""

    counts: dict[int, int]

    @property
    def total(self) -> int:
        """Return how many there are."""
        return sum(self.counts.values())

    @property
    def mean(self) -> Decimal | None:
        """Return the mean score with one place, None of none."""
        if not self.total:
            return None
        points = sum(score * count for score, count in self.counts.items())
        mean = Decimal(points) / Decimal(self.total)
        return mean.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)


def ratings_between(start: datetime, end: datetime) -> Ratings:
    """Return the ratings given in [start, end). One query."""
    given = Rating.objects.filter(created_at__gte=start, created_at__lt=end)
    found = dict(given.values_list("score").annotate(count=Count("pk")).order_by())
    return Ratings({score: found.get(score, 0) for score in range(5, 0, -1)})


def agent_names(ids: Sequence[int]) -> dict[int, str]:
    """Return the names of people of staff by id. One query."""
    return dict(StaffMember.objects.filter(pk__in=ids).values_list("pk", "display_name"))
