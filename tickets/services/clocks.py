"""Starting, stopping and re-targeting response clocks (domain.md §5). Callers hold the ticket's lock."""

from __future__ import annotations

from datetime import datetime

from accounts.access import Actor
from accounts.models import StaffMember
from supportplans.selectors.coverage import Coverage
from tickets import sla
from tickets.locks import lock_running_clock
from tickets.models import Clock, ClockEvent, Ticket
from tickets.services.timeline import event_write
from tickets.states import ClockEventKind, ClockKind, ClockOutcome, TicketEventKind


def clock_open(
    *, ticket: Ticket, coverage: Coverage, instance: int, actor: Actor, at: datetime
) -> Clock:
    """Start the clock of a silence at ``at``: the first response until there was one, a next response afterwards.

    The caller saves ``ticket.due_at``, which is set here.
    """
    target = coverage.target_minutes[ticket.severity]
    clock = Clock(
        tenant_id=ticket.tenant_id,
        ticket=ticket,
        kind=ClockKind.NEXT if ticket.first_response_at else ClockKind.FIRST,
        instance=instance,
        plan_code=coverage.plan_code,
        severity=ticket.severity,
        promised=coverage.promised,
        started_at=at,
        target_minutes=target,
        due_at=sla.due_instant(at, target),
    )
    clock.next_stage_at = clock.next_stage()
    clock.save(force_insert=True)
    _record(clock, ClockEventKind.STARTED, actor=actor, at=at)
    ticket.due_at = clock.due_at
    return clock


def clock_open_next(*, ticket: Ticket, coverage: Coverage, actor: Actor, at: datetime) -> Clock:
    """Start the clock of a new silence: the next instance of its kind."""
    kind = ClockKind.NEXT if ticket.first_response_at else ClockKind.FIRST
    instances = Clock.objects.filter(ticket=ticket, kind=kind).order_by("-instance")
    last = instances.values_list("instance", flat=True).first() or 0
    return clock_open(ticket=ticket, coverage=coverage, instance=last + 1, actor=actor, at=at)


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
    breach and its notice hides nothing. The caller saves ``ticket.due_at``.
    """
    clock = lock_running_clock(ticket)
    ticket.due_at = None
    if clock is None:
        return None
    clock.stopped_at = at
    clock.outcome = outcome
    clock.answered_by = answered_by
    clock.next_stage_at = clock.next_stage()
    clock.save(update_fields=["stopped_at", "outcome", "answered_by", "next_stage_at"])
    _record(clock, ClockEventKind.STOPPED, actor=actor, at=at, reason=outcome)
    return clock


def clock_retarget(
    *, clock: Clock, ticket: Ticket, target_minutes: int, reason: str, actor: Actor, at: datetime
) -> bool:
    """Shorten a running clock to a new target and explain it in the timeline; False when nothing gets shorter.

    The caller holds the locks of ticket and clock and saves ``ticket.due_at``.
    """
    change = sla.retarget(
        start=clock.started_at, due=clock.due_at, new_target_minutes=target_minutes, changed=at
    )
    if change is None:
        return False
    before = clock.target_minutes
    clock.target_minutes = change.target_minutes
    clock.due_at = change.due_at
    clock.retargeted_at = at
    clock.next_stage_at = clock.next_stage()
    clock.save(update_fields=["target_minutes", "due_at", "retargeted_at", "next_stage_at"])
    ticket.due_at = clock.due_at
    _record(clock, ClockEventKind.RETARGETED, actor=actor, at=at, reason=reason)
    event_write(
        ticket,
        TicketEventKind.RETARGETED,
        actor=actor,
        at=at,
        clock=clock.kind,
        before=before,
        after=clock.target_minutes,
        due=clock.due_at.isoformat(),
        reason=reason,
    )
    return True


def _record(
    clock: Clock, kind: ClockEventKind, *, actor: Actor, at: datetime, reason: str = ""
) -> None:
    ClockEvent.objects.create(
        tenant_id=clock.tenant_id,
        clock=clock,
        kind=kind,
        due_at=clock.due_at,
        target_minutes=clock.target_minutes,
        reason=reason,
        created_at=at,
        **actor.snapshot(),
    )
