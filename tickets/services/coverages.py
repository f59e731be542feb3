"""What a change of plan, window or severity makes of open tickets: their place, their desk, their clocks."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Subquery

from accounts.access import SYSTEM, Actor
from messaging import live
from supportplans.models import AssuranceWindow
from supportplans.selectors.coverage import Coverage, coverage_at, target_history
from supportplans.states import Severity, WindowState
from tickets.exceptions import TicketMoveRefused
from tickets.live import CONSOLE, ticket_topic
from tickets.locks import lock_running_clock, lock_running_clocks, lock_tickets
from tickets.models import Ticket
from tickets.queueing import queue_rank
from tickets.services.retargets import clock_retarget, windows_catch_up
from tickets.services.timeline import event_write, touch
from tickets.states import OPEN_STATES, Desk, TicketEventKind

STANDING_FIELDS = (
    "plan_code",
    "desk",
    "assurance_level",
    "restore_priority",
    "is_linked",
    "queue_rank",
)
SYNC_TENANTS = 200


def standing_set(ticket: Ticket, coverage: Coverage) -> bool:
    """Write what is in force now into the ticket's own columns; return True if something changed. Saves nothing."""
    before = [getattr(ticket, name) for name in STANDING_FIELDS]
    ticket.plan_code = coverage.plan_code
    ticket.desk = Desk.VIP if coverage.vip_desk or ticket.lent_to_vip else Desk.STANDARD
    ticket.assurance_level = coverage.assurance_level
    ticket.restore_priority = coverage.restore_priority
    ticket.is_linked = coverage.principal is not None
    ticket.queue_rank = queue_rank(ticket.standing)
    return before != [getattr(ticket, name) for name in STANDING_FIELDS]


@transaction.atomic(savepoint=False)
def tenant_coverage_apply(
    *, tenant_id: int, actor: Actor, at: datetime, upgraded: bool = False
) -> int:
    """Bring a tenant's open tickets to the coverage in force at ``at``; return how many clocks got shorter.

    Windows that began since are applied first, each at its own instant. Only a plan that was ``upgraded`` shortens
    clocks besides: where the change takes something away no running clock is touched.
    """
    its = lock_tickets().filter(tenant_id=tenant_id, state__in=OPEN_STATES)
    if not (locked := list(its.values_list("pk", flat=True))):
        return 0  # the usual case: most changes of plan meet no open ticket
    tickets = Ticket.objects.defer("search").in_bulk(locked)
    clocks = list(lock_running_clocks(locked))
    shortened = windows_catch_up(tickets=tickets, clocks=clocks, at=at)
    coverage = coverage_at(tenant_id, at)
    changed = {pk for pk, ticket in tickets.items() if standing_set(ticket, coverage)}
    if upgraded and clocks:
        targets = target_history()
        shortened |= {
            clock.ticket_id
            for clock in clocks
            if clock_retarget(
                clock=clock,
                ticket=tickets[clock.ticket_id],
                targets=targets,
                plan_code=coverage.plan_code,
                assurance_level=coverage.assurance_level,
                reason=f"plan_{coverage.plan_code}",
                actor=actor,
                at=at,
            )
        }
    if changed := changed | shortened:
        Ticket.objects.bulk_update(
            [tickets[pk] for pk in sorted(changed)], [*STANDING_FIELDS, "due_at"], batch_size=200
        )
        live.touch(CONSOLE)
        for pk in changed:
            live.touch(ticket_topic(pk))
    return len(shortened)


@transaction.atomic
def windows_sync(*, at: datetime) -> int:
    """Bring open tickets to the assurance windows that opened or ended; return how many tenants were touched.

    Windows open and end by time alone: this looks for tenants whose open tickets say another level than what runs.
    """
    running = AssuranceWindow.objects.filter(
        tenant_id=OuterRef("tenant_id"), state=WindowState.APPROVED, starts__lte=at, ends__gt=at
    ).order_by("level")
    entered = (
        Ticket.objects.filter(
            state__in=OPEN_STATES,
            tenant_id__in=AssuranceWindow.objects.filter(
                state=WindowState.APPROVED, starts__lte=at, ends__gt=at
            ).values("tenant_id"),
        )
        .alias(level=Subquery(running.values("level")[:1]))
        .exclude(assurance_level__isnull=False, assurance_level=F("level"))
    )
    left = Ticket.objects.filter(
        ~Exists(running), state__in=OPEN_STATES, assurance_level__isnull=False
    )
    tenants = [
        *entered.order_by("tenant_id")
        .values_list("tenant_id", flat=True)
        .distinct()[:SYNC_TENANTS],
        *left.order_by("tenant_id").values_list("tenant_id", flat=True).distinct()[:SYNC_TENANTS],
    ]
    for tenant_id in tenants:
        tenant_coverage_apply(tenant_id=tenant_id, actor=SYSTEM, at=at)
    return len(tenants)


@transaction.atomic
def severity_raise(*, ticket_id: int, actor: Actor, at: datetime) -> Ticket:
    """Make a general ticket urgent and shorten its clock. Raises TicketMoveRefused.

    Lowering is staff's (services/severities.py) and extends no running clock (domain.md §5).
    """
    ticket = lock_tickets().get(pk=ticket_id)
    if not ticket.is_open or ticket.severity == Severity.URGENT:
        raise TicketMoveRefused
    clock = lock_running_clock(ticket)
    if clock is not None:
        windows_catch_up(tickets={ticket.pk: ticket}, clocks=[clock], at=at)
    coverage = coverage_at(ticket.tenant_id, at)
    ticket.severity = Severity.URGENT
    standing_set(ticket, coverage)
    event_write(ticket, TicketEventKind.SEVERITY_RAISED, actor=actor, at=at)
    if clock is not None:
        clock_retarget(
            clock=clock,
            ticket=ticket,
            targets=target_history(),
            plan_code=coverage.plan_code,
            assurance_level=coverage.assurance_level,
            reason="severity",
            actor=actor,
            at=at,
        )
    ticket.save(update_fields=["severity", "due_at", *STANDING_FIELDS])
    touch(ticket)
    return ticket
