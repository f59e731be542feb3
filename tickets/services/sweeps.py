"""Recording the stages that clocks pass, and telling those who must know (domain.md §5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Min

from core.clock import local
from messaging import live
from messaging.services import notify
from tickets import sla
from tickets.live import CONSOLE
from tickets.locks import lock_due_clocks
from tickets.models import Clock, ClockStage
from tickets.states import ClockKind

BATCH = 1000

_ADVANCE = """
UPDATE tickets_clock AS clock
   SET stage_passed = new.stage_passed, next_stage_at = new.next_stage_at
  FROM unnest(%s::bigint[], %s::smallint[], %s::timestamptz[]) AS new (id, stage_passed, next_stage_at)
 WHERE clock.id = new.id
"""


@transaction.atomic
def stages_sweep(*, at: datetime, limit: int = BATCH) -> int:
    """Record every stage that lies before ``at``, with its own instant and ``at``; return how many clocks were taken.

    Takes at most ``limit`` clocks, those that fell due first; others may sweep at the same time and take others.
    Each stage is one unique row. Who must know gets one message per clock, naming the highest stage.
    """
    clocks = list(lock_due_clocks(at, limit).select_related("ticket__assignee", "tenant"))
    stages: list[ClockStage] = []
    highest: list[tuple[Clock, list[int]]] = []
    for clock in clocks:
        passed = clock.pending_stages(at)
        stages += [
            ClockStage(
                tenant_id=clock.tenant_id, clock=clock, percent=percent, due_at=due, noticed_at=at
            )
            for percent, due in passed
        ]
        if passed:
            clock.stage_passed = passed[-1][0]
            highest.append((clock, [percent for percent, _ in passed]))
        clock.next_stage_at = clock.next_stage()
    if not clocks:
        return 0
    ClockStage.objects.bulk_create(stages, ignore_conflicts=True)
    _advance(clocks)
    for clock, percents in highest:
        _tell(clock, percents, at)
    live.touch(CONSOLE)
    return len(clocks)


def sweep_lag_seconds(at: datetime) -> float:
    """Return by how many seconds the oldest stage that is due was missed so far; 0.0 when nothing is late.

    Read from the clocks themselves, not from the workers: it also grows when no worker runs.
    """
    oldest = Clock.objects.filter(next_stage_at__lt=at).aggregate(oldest=Min("next_stage_at"))[
        "oldest"
    ]
    return (at - oldest).total_seconds() if oldest else 0.0


def _advance(clocks: Sequence[Clock]) -> None:
    """Write the passed stages and next instants of locked clocks with one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            _ADVANCE,
            [
                [clock.pk for clock in clocks],
                [clock.stage_passed for clock in clocks],
                [clock.next_stage_at for clock in clocks],
            ],
        )


def _tell(clock: Clock, percents: Sequence[int], at: datetime) -> None:
    """Tell everyone whom one of the stages concerns, once, about the highest one."""
    highest = percents[-1]
    if clock.stopped_at is not None and highest < sla.BREACH:
        return  # answered in time: a late warning helps nobody
    ticket = clock.ticket
    notify(
        "tickets.stage_passed",
        key=f"clock-{clock.pk}-stage-{highest}",
        audience=_audience(clock, percents),
        context={
            "number": ticket.number,
            "title": ticket.title,
            "customer": clock.tenant.name,
            "percent": highest,
            "breached": highest >= sla.BREACH,
            "clock": str(ClockKind(clock.kind).label),
            "due": f"{local(clock.due_at):%Y-%m-%d %H:%M:%S}",
            "target": clock.target_minutes,
            "promised": clock.promised,
        },
        url=f"/console/tickets/{ticket.number}/",
        tenant_id=clock.tenant_id,
        at=at,
    )


def _audience(clock: Clock, percents: Sequence[int]) -> list[str]:
    assignee = clock.ticket.assignee
    audience = [f"user:{assignee.user_id}"] if assignee else ["staff:team_lead"]
    if sla.BREACH in percents:
        audience += ["staff:team_lead", "tenant:account_manager"]
    if sla.ESCALATION in percents:
        audience.append("staff:duty_manager")
    return list(dict.fromkeys(audience))
