"""Shortening running clocks (domain.md §5). Callers hold the locks of tickets and clocks and save the tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from accounts.access import SYSTEM, Actor
from supportplans.selectors.coverage import (
    TargetHistory,
    plan_code_at,
    target_history,
    windows_begun,
)
from tickets import sla
from tickets.models import Clock, Ticket
from tickets.services.timeline import clock_event_write, event_write
from tickets.states import ClockEventKind, TicketEventKind


def clock_retarget(
    *,
    clock: Clock,
    ticket: Ticket,
    targets: TargetHistory,
    plan_code: str,
    assurance_level: int | None,
    reason: str,
    actor: Actor,
    at: datetime,
) -> bool:
    """Shorten a running clock at ``at`` and explain it in the timeline; False when nothing gets shorter.

    The new target is the one of plan, window and severity in the version that held when the clock started: what
    operators changed since is for later clocks. Sets ``ticket.due_at``.
    """
    minutes = targets.minutes(plan_code, ticket.severity, assurance_level, clock.started_at)
    change = sla.retarget(
        start=clock.started_at, due=clock.due_at, new_target_minutes=minutes, changed=at
    )
    if change is None:
        return False
    before = clock.target_minutes
    clock.target_minutes = change.target_minutes
    clock.due_at = change.due_at
    clock.plan_code, clock.severity = plan_code, ticket.severity
    clock.retargeted_at = at
    clock.stage_instants = sla.stage_instants_moved(
        clock.stage_percents,
        clock.stage_instants,
        start=clock.started_at,
        due=clock.due_at,
        changed=at,
    )
    clock.next_stage_at = clock.next_stage()
    clock.save(
        update_fields=[
            "target_minutes",
            "due_at",
            "plan_code",
            "severity",
            "retargeted_at",
            "stage_instants",
            "next_stage_at",
        ]
    )
    ticket.due_at = clock.due_at
    explained = {
        "reason": reason,
        "before": before,
        "after": clock.target_minutes,
        "due": clock.due_at.isoformat(),
        "grace": change.due_at - at == sla.RETARGET_GRACE,
    }
    clock_event_write(
        clock,
        ClockEventKind.RETARGETED,
        actor=actor,
        at=at,
        reason=reason,
        details={"plan": clock.plan_code, "severity": clock.severity, **explained},
    )
    event_write(
        ticket,
        TicketEventKind.RETARGETED,
        actor=actor,
        at=at,
        clock=clock.kind,
        **explained,
    )
    return True


def windows_catch_up(
    *, tickets: Mapping[int, Ticket], clocks: Sequence[Clock], at: datetime
) -> set[int]:
    """Give clocks of one tenant what the windows demand that began while they ran; return the changed tickets' ids.

    Windows open by time alone: whoever comes first, sweep or reply, applies them, at the instant at which they began
    and by the plan that was in force then. So it does not matter how late that is, nor how often. A change of plan or
    severity calls this before it acts: re-targets follow each other in time. One query, two more where a window began.
    """
    if not clocks:
        return set()
    first = min(clock.started_at for clock in clocks)
    begun = windows_begun(clocks[0].tenant_id, since=first, until=at)
    if not begun:
        return set()
    targets = target_history()
    changed = set()
    for level, began in begun:
        plan_code = plan_code_at(clocks[0].tenant_id, began)
        for clock in clocks:
            ticket = tickets[clock.ticket_id]
            if began >= clock.started_at and clock_retarget(
                clock=clock,
                ticket=ticket,
                targets=targets,
                plan_code=plan_code,
                assurance_level=level,
                reason=f"window_{level}",
                actor=SYSTEM,
                at=began,
            ):
                changed.add(ticket.pk)
    return changed
