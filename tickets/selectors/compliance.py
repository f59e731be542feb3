"""Whether promises of an answer were kept (domain.md §2, §5): the one place that says what counts.

Only promised clocks count. The due instant decides, never the instant at which something was noticed. A clock is kept
when staff answered by its due instant, and missed once that has gone by without an answer, also while it still runs
and when the customer ended the ticket later than that. One that the customer ended in time, or that may still be
answered in time, is not decided and counts nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q, QuerySet

from core.clock import local
from tickets.models import Clock
from tickets.states import ClockOutcome


@dataclass(frozen=True)
class Compliance:
    """Decided promises, and those that were kept."""

    kept: int = 0
    missed: int = 0

    @property
    def promised(self) -> int:
        """Return how many promises are decided."""
        return self.kept + self.missed

    @property
    def share(self) -> Decimal | None:
        """Return the percentage that was kept, with one place; None when nothing is decided."""
        return percentage(self.kept, self.promised)


def percentage(kept: int, promised: int) -> Decimal | None:
    """Return kept of promised as a percentage, None when nothing was promised.

    Cut off to one place: 99.96 % never reads as 100 %.
    """
    return Decimal(1000 * kept // promised).scaleb(-1) if promised else None


def kept() -> Q:
    """Return the condition for clocks that were answered by their due instant."""
    return Q(outcome=ClockOutcome.ANSWERED, stopped_at__lte=F("due_at"))


def missed(until: datetime) -> Q:
    """Return the condition for clocks whose due instant went by without an answer, as known at ``until``."""
    return Q(stopped_at__gt=F("due_at")) | Q(stopped_at=None, due_at__lt=until)


def compliance_of(clocks: QuerySet[Clock], *, until: datetime) -> Compliance:
    """Return the compliance of the promised ones among ``clocks``. One query."""
    counts = clocks.filter(promised=True).aggregate(
        kept=Count("pk", filter=kept()), missed=Count("pk", filter=missed(until))
    )
    return Compliance(counts["kept"], counts["missed"])


@dataclass(frozen=True)
class ComplianceTable:
    """Compliance of clocks that started in a time: in all, by plan, severity, month (``2026-11``) and agent's id.

    What nobody has answered belongs to no agent: it stands under None.
    """

    total: Compliance = Compliance()
    by_plan: dict[str, Compliance] = field(default_factory=dict)
    by_severity: dict[str, Compliance] = field(default_factory=dict)
    by_month: dict[str, Compliance] = field(default_factory=dict)
    by_agent: dict[int | None, Compliance] = field(default_factory=dict)


# ``kept`` and ``missed`` once more, in SQL: one reading of the clocks for all tables.
# tests/tickets/test_compliance.py holds both to the same answers.
# Summed up once by everything, then by each thing: a million clocks are few groups. ``slot`` n is the n-th month.
_TABLE = """
SELECT GROUPING(plan_code, severity, slot, answered_by_id), plan_code, severity, slot, answered_by_id,
       coalesce(sum(kept), 0)::bigint, coalesce(sum(missed), 0)::bigint
  FROM (SELECT plan_code, severity, width_bucket(started_at, %(months)s::timestamptz[]) AS slot, answered_by_id,
               count(*) FILTER (WHERE outcome = 'answered' AND stopped_at <= due_at) AS kept,
               count(*) FILTER (WHERE stopped_at > due_at OR (stopped_at IS NULL AND due_at < %(until)s)) AS missed
          FROM tickets_clock
         WHERE promised AND started_at >= %(start)s AND started_at < %(end)s
           AND (%(plan)s = '' OR plan_code = %(plan)s)
           AND (%(severity)s = '' OR severity = %(severity)s)
           AND (%(kind)s = '' OR kind = %(kind)s)
         GROUP BY plan_code, severity, slot, answered_by_id) AS clock
 GROUP BY GROUPING SETS ((), (plan_code), (severity), (slot), (answered_by_id))
"""
# A bit is set where a column is not grouped by.
_ALL, _PLAN, _SEVERITY, _MONTH, _AGENT = 0b1111, 0b0111, 0b1011, 0b1101, 0b1110
_PLACES = {_PLAN: 0, _SEVERITY: 1, _MONTH: 2, _AGENT: 3}


def compliance_table(
    start: datetime,
    end: datetime,
    *,
    until: datetime,
    plan: str = "",
    severity: str = "",
    kind: str = "",
) -> ComplianceTable:
    """Return the compliance of the clocks that started in [start, end), as known at ``until``. One query.

    Months are those of Shanghai. ``plan``, ``severity`` and ``kind`` narrow the clocks. Groups without a decided
    clock are left out.
    """
    months = _months(start, end)
    values: dict[str, Any] = {"start": start, "end": end, "until": until, "months": months}
    with connection.cursor() as cursor:
        cursor.execute(_TABLE, {**values, "plan": plan, "severity": severity, "kind": kind})
        rows = cursor.fetchall()
    groups: dict[int, dict[Any, Compliance]] = {}
    for grouping, *keys, answered, late in rows:
        if grouping == _ALL or answered or late:
            place = _PLACES.get(grouping)
            key = None if place is None else keys[place]
            groups.setdefault(grouping, {})[key] = Compliance(answered, late)
    return ComplianceTable(
        total=groups[_ALL][None],
        by_plan=groups.get(_PLAN, {}),
        by_severity=groups.get(_SEVERITY, {}),
        by_month={
            f"{months[slot - 1]:%Y-%m}": row for slot, row in sorted(groups.get(_MONTH, {}).items())
        },
        by_agent=groups.get(_AGENT, {}),
    )


def _months(start: datetime, end: datetime) -> list[datetime]:
    """Return the first instants of the months of [start, end), in Shanghai."""
    months = [local(start).replace(day=1, hour=0, minute=0, second=0, microsecond=0)]
    while months[-1] < end:
        year, month = divmod(months[-1].year * 12 + months[-1].month, 12)
        months.append(months[-1].replace(year=year, month=month + 1))
    return months
