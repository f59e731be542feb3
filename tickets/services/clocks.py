"""Starting and stopping response clocks (domain.md §5). Callers hold the ticket's lock."""

from __future__ import annotations

from datetime import datetime

from accounts.access import Actor
from accounts.models import StaffMember
from supportplans.selectors.coverage import Coverage
from tickets import sla
from tickets.clock_log import started_details
from tickets.locks import lock_running_clock
from tickets.models import Clock, Ticket
from tickets.selectors.stages import stages_at
from tickets.services.retargets import windows_catch_up
from tickets.services.timeline import clock_event_write
from tickets.states import ClockEventKind, ClockKind, ClockOutcome


def clock_open(
    *, ticket: Ticket, coverage: Coverage, instance: int, actor: Actor, at: datetime
) -> Clock:
    """Start the clock of a silence at ``at``: the first response until there was one, a next response afterwards.

    Target, stages and whether it is promised are those in force at ``at``. The caller saves ``ticket.due_at``, which is
    set here.
    """
    target = coverage.target_minutes[ticket.severity]
    clock = Clock(
        tenant_id=ticket.tenant_id,
        ticket=ticket,
        kind=_kind_now(ticket),
        instance=instance,
        plan_code=coverage.plan_code,
        severity=ticket.severity,
        promised=coverage.promised,
        started_at=at,
        target_minutes=target,
        due_at=sla.due_instant(at, target),
        stage_percents=stages_at(at),
    )
    clock_begin(clock=clock, ticket=ticket, actor=actor, at=at)
    return clock


def clock_begin(
    *, clock: Clock, ticket: Ticket, actor: Actor, at: datetime, reason: str = ""
) -> None:
    """Write a new clock with its stages, and the first line of its log. Sets ``ticket.due_at``."""
    clock.stage_instants = sla.stage_instants(
        clock.stage_percents, start=clock.started_at, due=clock.due_at
    )
    clock.next_stage_at = clock.next_stage()
    clock.save(force_insert=True)
    clock_event_write(
        clock,
        ClockEventKind.STARTED,
        actor=actor,
        at=at,
        reason=reason,
        details=started_details(clock),
    )
    ticket.due_at = clock.due_at


def clock_open_next(*, ticket: Ticket, coverage: Coverage, actor: Actor, at: datetime) -> Clock:
    """Start the clock of a new silence: the next instance of its kind."""
    instance = _next_instance(ticket, _kind_now(ticket))
    return clock_open(ticket=ticket, coverage=coverage, instance=instance, actor=actor, at=at)


def clock_stop(
    *,
    ticket: Ticket,
    outcome: ClockOutcome,
    actor: Actor,
    at: datetime,
    answered_by: StaffMember | None = None,
) -> Clock | None:
    """Stop the running clock at ``at`` and return it; None when none runs.

    Stages that lay before the answer and were not noticed yet stay for the sweep: an answer that comes between a
    breach and its notice hides nothing. A stage that the sweep recorded while an earlier answer was being written is
    void: the instants decide, not who came first. The caller saves ``ticket.due_at``.
    """
    clock = lock_running_clock(ticket)
    ticket.due_at = None
    if clock is None:
        return None
    windows_catch_up(tickets={ticket.pk: ticket}, clocks=[clock], at=at)
    ticket.due_at = None
    clock.stopped_at = at
    clock.outcome = outcome
    clock.answered_by = answered_by
    clock.stage_passed = max(
        (
            percent
            for percent, instant in zip(clock.stage_percents, clock.stage_instants, strict=True)
            if percent <= clock.stage_passed and instant < at
        ),
        default=0,
    )
    clock.next_stage_at = clock.next_stage()
    clock.save(
        update_fields=["stopped_at", "outcome", "answered_by", "stage_passed", "next_stage_at"]
    )
    clock_event_write(
        clock,
        ClockEventKind.STOPPED,
        actor=actor,
        at=at,
        reason=outcome,
        details={"answered_by": answered_by.pk if answered_by else None},
    )
    return clock


def _kind_now(ticket: Ticket) -> ClockKind:
    return ClockKind.NEXT if ticket.first_response_at else ClockKind.FIRST


def _next_instance(ticket: Ticket, kind: str) -> int:
    instances = Clock.objects.filter(ticket=ticket, kind=kind).order_by("-instance")
    return (instances.values_list("instance", flat=True).first() or 0) + 1
