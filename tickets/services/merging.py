"""Merging two tickets of one customer (domain.md §5)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.access import Actor
from supportplans.selectors.coverage import coverage_at
from supportplans.states import Severity
from tickets.exceptions import MergeRefused
from tickets.locks import lock_running_clocks, lock_tickets_to_merge
from tickets.models import Clock, Ticket
from tickets.services.clocks import clock_stop
from tickets.services.coverages import STANDING_FIELDS, standing_set
from tickets.services.replies import REPLY_FIELDS
from tickets.services.timeline import clock_event_write, event_write, touch
from tickets.states import ClockEventKind, ClockOutcome, TicketEventKind, TicketState


@transaction.atomic
def ticket_merge(*, ticket_id: int, into_id: int, actor: Actor, at: datetime) -> Ticket:
    """Merge a ticket into another open one of the same customer, and return that one.

    Messages and notes stay where they are and are read in both; the old number leads to the new one, and so do those
    that had been merged into it. A running clock moves along with its own start and due instant. Where both run, one
    answer will end both silences: the one that is due first runs on, the other ends as merged (late, if it was late).
    Raises MergeRefused.
    """
    tenant_id = Ticket.objects.values_list("tenant_id", flat=True).get(pk=ticket_id)
    found = lock_tickets_to_merge(tenant_id=tenant_id, source_id=ticket_id, target_id=into_id)
    source, target = found[ticket_id], found.get(into_id)
    if (
        target is None
        or source.pk == target.pk
        or source.state == TicketState.CLOSED
        or not target.is_open
        or target.merged_into_id is not None
    ):
        raise MergeRefused
    _carry_clock(source, target, actor=actor, at=at)
    _raise_to(source, target, actor=actor, at=at)
    if target.due_at is not None and target.state == TicketState.WAITING:
        target.state = TicketState.PROCESSING  # a customer waits now
    if source.last_message_at > target.last_message_at:
        target.last_message_at = source.last_message_at
        target.last_author, target.last_is_staff = source.last_author, source.last_is_staff
    target.save(update_fields=["severity", *REPLY_FIELDS, *STANDING_FIELDS])
    source.state, source.merged_into = TicketState.CLOSED, target
    source.closed_at, source.closes_at = at, None
    source.resolved_at = source.resolved_at or at
    source.save(
        update_fields=["state", "merged_into", "due_at", "closed_at", "closes_at", "resolved_at"]
    )
    earlier = [pk for pk in found if pk not in {ticket_id, into_id}]
    Ticket.objects.filter(pk__in=earlier).update(merged_into=target)
    event_write(source, TicketEventKind.MERGED, actor=actor, at=at, number=target.number)
    event_write(target, TicketEventKind.ABSORBED, actor=actor, at=at, number=source.number)
    touch(source)
    touch(target)
    return target


def clock_move(clock: Clock, *, source: Ticket, target: Ticket, actor: Actor, at: datetime) -> None:
    """Move a running clock, with its start, due instant and stages, to another ticket that has none running.

    The caller holds the locks of clock and tickets and saves both tickets' ``due_at``.
    """
    same = Clock.objects.filter(ticket=target, kind=clock.kind)
    clock.ticket = target
    clock.instance = (same.aggregate(last=Max("instance"))["last"] or 0) + 1
    clock.save(update_fields=["ticket", "instance"])
    source.due_at, target.due_at = None, clock.due_at
    clock_event_write(
        clock,
        ClockEventKind.MOVED,
        actor=actor,
        at=at,
        details={
            "from": source.number,
            "to": target.number,
            "ticket": target.pk,
            "instance": clock.instance,
        },
    )


def _carry_clock(source: Ticket, target: Ticket, *, actor: Actor, at: datetime) -> None:
    """Leave the target with the running clock that is due first, and the source with none."""
    running = {clock.ticket_id: clock for clock in lock_running_clocks([source.pk, target.pk])}
    moving, staying = running.get(source.pk), running.get(target.pk)
    if moving is None:
        return
    if staying is not None and staying.due_at <= moving.due_at:
        clock_stop(ticket=source, outcome=ClockOutcome.MERGED, actor=actor, at=at)
        return
    if staying is not None:
        clock_stop(ticket=target, outcome=ClockOutcome.MERGED, actor=actor, at=at)
    clock_move(moving, source=source, target=target, actor=actor, at=at)


def _raise_to(source: Ticket, target: Ticket, *, actor: Actor, at: datetime) -> None:
    """Give the target the higher severity of both, and the place in the queue that goes with it. The clock that runs
    on was chosen already."""
    if source.severity == Severity.URGENT and target.severity != Severity.URGENT:
        target.severity = Severity.URGENT
        event_write(target, TicketEventKind.SEVERITY_RAISED, actor=actor, at=at)
    standing_set(target, coverage_at(target.tenant_id, at))
