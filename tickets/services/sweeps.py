"""Recording the stages that clocks pass, and telling those who must know (domain.md §5)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Min

from core.clock import local
from messaging import live
from messaging.services import Notice, notify_many
from tickets import sla
from tickets.live import CONSOLE
from tickets.models import Clock

BATCH = 1000

# One statement for a whole batch, in which the row locks, the stages and the new state of the clocks belong together.
# ``least`` passes over an empty ``stopped_at``: a running clock's present is the sweep's.
_SWEEP = """
WITH due AS MATERIALIZED (
    SELECT id, tenant_id, ticket_id, kind, due_at, target_minutes, promised, stage_percents, stage_instants,
           stage_passed, stopped_at
      FROM tickets_clock
     WHERE next_stage_at < %(at)s
     ORDER BY next_stage_at
     LIMIT %(limit)s
       FOR NO KEY UPDATE SKIP LOCKED
), stage AS MATERIALIZED (
    SELECT due.id, due.tenant_id, each.percent, each.instant, each.instant < least(%(at)s, due.stopped_at) AS is_passed
      FROM due CROSS JOIN unnest(due.stage_percents, due.stage_instants) AS each (percent, instant)
     WHERE each.percent > due.stage_passed AND (due.stopped_at IS NULL OR each.instant < due.stopped_at)
), recorded AS (
    INSERT INTO tickets_clockstage (tenant_id, clock_id, percent, due_at, noticed_at)
    SELECT tenant_id, id, percent, instant, %(at)s FROM stage WHERE is_passed
    ON CONFLICT (tenant_id, clock_id, percent) DO NOTHING
), outcome AS MATERIALIZED (
    SELECT due.id,
           coalesce(max(stage.percent) FILTER (WHERE stage.is_passed), due.stage_passed) AS highest,
           min(stage.percent) FILTER (WHERE stage.is_passed) AS lowest,
           min(stage.instant) FILTER (WHERE NOT stage.is_passed) AS next_stage_at
      FROM due LEFT JOIN stage ON stage.id = due.id
     GROUP BY due.id, due.stage_passed
), advanced AS (
    UPDATE tickets_clock AS clock
       SET stage_passed = outcome.highest, next_stage_at = outcome.next_stage_at
      FROM outcome
     WHERE clock.id = outcome.id
)
SELECT due.id, due.tenant_id, due.kind, due.due_at, due.target_minutes, due.promised, due.stopped_at IS NOT NULL,
       outcome.lowest, outcome.highest, ticket.number, ticket.title, tenant.name, assignee.user_id
  FROM due
  JOIN outcome ON outcome.id = due.id
  JOIN tickets_ticket AS ticket ON ticket.id = due.ticket_id
  JOIN accounts_tenant AS tenant ON tenant.id = due.tenant_id
  LEFT JOIN accounts_staffmember AS assignee ON assignee.id = ticket.assignee_id
"""


class Taken(NamedTuple):
    """A clock that a sweep took, with the stages that it passed since (``lowest`` is None for none)."""

    clock_id: int
    tenant_id: int
    kind: str
    due_at: datetime
    target_minutes: int
    promised: bool
    is_stopped: bool
    lowest: int | None
    highest: int
    number: str
    title: str
    customer: str
    assignee_user_id: int | None


@transaction.atomic
def stages_sweep(*, at: datetime, limit: int = BATCH) -> int:
    """Record every stage that lies before ``at``, with its own instant and ``at``; return how many clocks were taken.

    Takes at most ``limit`` clocks, those that fell due first; others may sweep at the same time and take others.
    Each stage is one unique row. Who must know gets one message per clock, naming the highest stage. Two statements.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SWEEP, {"at": at, "limit": limit})
        taken = [Taken(*row) for row in cursor.fetchall()]
    if taken:
        notify_many(
            "tickets.stage_passed", [_notice(row) for row in taken if _concerns(row)], at=at
        )
        live.touch(CONSOLE)
    return len(taken)


def sweep_lag_seconds(at: datetime) -> float:
    """Return by how many seconds the oldest stage that is due was missed so far; 0.0 when nothing is late.

    Read from the clocks themselves, not from the workers: it also grows when no worker runs.
    """
    oldest = Clock.objects.filter(next_stage_at__lt=at).aggregate(oldest=Min("next_stage_at"))[
        "oldest"
    ]
    return (at - oldest).total_seconds() if oldest else 0.0


def _concerns(row: Taken) -> bool:
    """Return True where somebody must know. Of an answer in time no late warning helps."""
    return row.lowest is not None and (not row.is_stopped or row.highest >= sla.BREACH)


def _notice(row: Taken) -> Notice:
    """Tell everyone whom one of the stages concerns, once, about the highest one."""
    return Notice(
        key=f"clock-{row.clock_id}-stage-{row.highest}",
        audience=_audience(row),
        context={
            "number": row.number,
            "title": row.title,
            "customer": row.customer,
            "percent": row.highest,
            "breached": row.highest >= sla.BREACH,
            "clock": row.kind,
            "due": f"{local(row.due_at):%Y-%m-%d %H:%M:%S}",
            "target": row.target_minutes,
            "promised": row.promised,
        },
        url=f"/console/tickets/{row.number}/",
        tenant_id=row.tenant_id,
    )


def _audience(row: Taken) -> list[str]:
    """Return who is told of the stages between the lowest and the highest that were passed (domain.md §5)."""
    lowest = row.lowest or row.highest
    audience = [f"user:{row.assignee_user_id}" if row.assignee_user_id else "staff:team_lead"]
    if lowest <= sla.BREACH <= row.highest:
        audience += ["staff:team_lead", "tenant:account_manager"]
    if row.highest > sla.BREACH:
        audience.append("staff:duty_manager")
    return list(dict.fromkeys(audience))
