"""Demo tickets: 300 over 90 days for five customers, with conversations, clocks kept and a few missed, some open now.

Written in bulk, by the same pure rules that the services use.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.db import models

from accounts.access import Actor
from accounts.models import Membership, StaffMember, Tenant, User
from accounts.models.tenants import TenantRole
from accounts.models.users import StaffRole
from core import search
from core.numbering import ticket_number
from core.tenancy import scope
from supportplans.models import ProductLine
from supportplans.selectors.coverage import Coverage, coverage_at
from tickets import demo_customers, demo_desk, demo_macros, demo_views, sla
from tickets.clock_log import started_details
from tickets.demo_stories import ASKED, COMMENTS, GREETINGS, PLACES, STORIES, THANKS, Story
from tickets.models import (
    Clock,
    ClockEvent,
    ClockStage,
    Rating,
    Ticket,
    TicketCategory,
    TicketEvent,
    TicketMessage,
    TicketNote,
)
from tickets.selectors.stages import stages_at
from tickets.services.coverages import severity_raise, standing_set
from tickets.services.replies import CLOSES_AFTER
from tickets.states import (
    ClockEventKind,
    ClockKind,
    ClockOutcome,
    Desk,
    Effect,
    TicketEventKind,
    TicketState,
)

COUNT = 300
DAYS = 90
# How many of the 300 each customer has; open ones are the newest.
SHARES = (("华辰科技", 95), ("云帆物流", 80), ("青禾教育", 55), ("木棉传媒", 40), ("启明医疗", 30))
# Minutes ago and where each of the open tickets stands.
OPEN_NOW = (
    ("华辰科技", 4, "new"), ("云帆物流", 6, "new"), ("启明医疗", 3, "new"), ("青禾教育", 7, "new"),
    ("木棉传媒", 12, "new"), ("华辰科技", 14, "raised"), ("木棉传媒", 41, "late"), ("华辰科技", 95, "asked"),
    ("云帆物流", 130, "asked"), ("青禾教育", 200, "working"), ("华辰科技", 260, "working"),
    ("启明医疗", 340, "waiting"), ("云帆物流", 410, "waiting"), ("木棉传媒", 520, "working"),
)  # fmt: skip
MISSED_SHARE = 0.04
# One general ticket became urgent so long ago: its clock shows what changed its target.
RAISED_AGO = timedelta(minutes=3)


@dataclass
class Rows:
    """What is written at the end, table by table."""

    messages: list[TicketMessage] = field(default_factory=list)
    events: list[TicketEvent] = field(default_factory=list)
    notes: list[TicketNote] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    clock_events: list[ClockEvent] = field(default_factory=list)
    stages: list[ClockStage] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)


@dataclass
class Cast:
    """Who writes and who answers."""

    tenants: dict[str, Tenant]
    people: dict[int, list[tuple[User, str]]]
    agents: dict[str, list[StaffMember]]
    engineers: list[StaffMember]


def load(at: datetime) -> None:
    """Make the tickets unless they are there already."""
    call_command("load_ticket_categories", verbosity=0)
    call_command("load_ticket_desk", verbosity=0)
    demo_macros.load(at)
    with scope.staff():
        is_new = not Ticket.objects.filter(idempotency_key__startswith="demo-").exists()
        if is_new:
            _Writer(at).write()
            demo_views.load(at)
    demo_desk.load(at)
    if is_new:
        with scope.staff():
            demo_customers.load(at)


class _Writer:
    """Tells each ticket's story from its first minute to where it stands at ``at``."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.random = random.Random(20260823)  # noqa: S311  (the same demo every time)
        self.rows = Rows()
        self.cast = _cast()
        self.stages = stages_at(at)
        self.raised: list[Ticket] = []
        self.lines = {line.code: line for line in ProductLine.objects.all()}
        self.categories = {row.code: row for row in TicketCategory.objects.all()}

    def write(self) -> None:
        """Write all rows."""
        for number, (name, minutes, end) in enumerate(self._plan()):
            self._tell(number, self.cast.tenants[name], self.at - timedelta(minutes=minutes), end)
        rows = self.rows
        tables: Sequence[Sequence[models.Model]] = (
            rows.messages, rows.events, rows.notes, rows.clocks, rows.clock_events, rows.stages, rows.ratings,
        )  # fmt: skip
        for table in tables:
            if table:
                type(table[0])._default_manager.bulk_create(table, batch_size=500)
        for ticket in self.raised:
            actor = Actor(user=ticket.actor, name=ticket.actor_name, title=ticket.actor_title)
            severity_raise(ticket_id=ticket.pk, actor=actor, at=self.at - RAISED_AGO)

    def _plan(self) -> list[tuple[str, float, str]]:
        """Return customer, minutes ago and ending of every ticket, oldest first."""
        plan: list[tuple[str, float, str]] = []
        for name, count in SHARES:
            closed = count - sum(tenant == name for tenant, *_ in OPEN_NOW)
            for _ in range(closed):
                days = self.random.uniform(0.6, DAYS)
                end = "resolved" if days < 5 and self.random.random() < 0.3 else "closed"  # noqa: PLR2004
                plan.append((name, days * 24 * 60 - self.random.uniform(0, 600), end))
        return sorted([*plan, *OPEN_NOW], key=lambda row: -row[1])

    def _tell(self, number: int, tenant: Tenant, start: datetime, end: str) -> None:
        coverage = coverage_at(tenant.pk, start)
        story = self.random.choice(STORIES)
        if end in {"new", "late"}:
            story = self.random.choice([row for row in STORIES if row.effect != "question"][:10])
        elif end == "raised":
            story = next(row for row in STORIES if row.effect == "question")
        ticket, names = self._ticket(number, tenant, story, coverage, start)
        user, title = self.random.choice(self.cast.people[tenant.pk])
        customer = {"actor": user, "actor_name": user.name, "actor_title": title}
        for name, value in customer.items():
            setattr(ticket, name, value)
        ticket.last_author = user.name
        ticket.save(force_insert=True)
        self._message(ticket, story.body.format(**names), start, customer)
        self._event(ticket, TicketEventKind.SUBMITTED, start, customer)
        self._routed(ticket, coverage, start)
        if end in {"new", "late", "raised"}:
            self._running(ticket, coverage, ClockKind.FIRST, start)
        else:
            self._work(
                ticket,
                story=story,
                names=names,
                coverage=coverage,
                customer=customer,
                end=end,
            )
        ticket.save()
        if end == "raised":
            self.raised.append(ticket)

    def _ticket(
        self, number: int, tenant: Tenant, story: Story, coverage: Coverage, start: datetime
    ) -> tuple[Ticket, dict[str, str]]:
        pick = self.random
        names = {
            "id": f"{story.line}-{pick.randrange(16**6):06x}",
            "n": str(pick.randint(2, 9)),
            "place": pick.choice(PLACES),
        }
        drawn = ticket_number(start)
        title = story.title.format(**names)
        effect = Effect(story.effect)
        ticket = Ticket(
            tenant=tenant,
            number=drawn,
            kind=story.kind,
            severity=effect.severity,
            effect=effect,
            title=title,
            category=self.categories.get(story.category),
            product_line=self.lines[story.line],
            resource=names["id"] if "{id}" in story.body else "",
            idempotency_key=f"demo-{number:03d}",
            created_at=start,
            last_message_at=start,
            search=search.vector(drawn, title, names["id"]),
        )
        standing_set(ticket, coverage)
        return ticket, names

    def _work(
        self,
        ticket: Ticket,
        *,
        story: Story,
        names: dict[str, str],
        coverage: Coverage,
        customer: dict[str, object],
        end: str,
    ) -> None:
        """Tell a ticket that was answered: greeting, finding, follow-up, and for ended ones the solution."""
        pick = self.random
        agent = pick.choice(self.cast.agents[ticket.desk])
        target = coverage.target_minutes[ticket.severity]
        share = (
            pick.uniform(1.05, 1.7) if pick.random() < MISSED_SHARE else pick.uniform(0.12, 0.85)
        )
        answered = ticket.created_at + timedelta(minutes=target * share)
        self._stopped(
            ticket, coverage, ClockKind.FIRST, start=ticket.created_at, stop=answered, by=agent
        )
        self._reply(ticket, pick.choice(GREETINGS), answered, agent)
        self._event(ticket, TicketEventKind.RESPONDED, answered, _by(agent))
        ticket.first_response_at = answered
        ticket.assignee = agent
        ticket.state = TicketState.PROCESSING
        if story.note:
            self._note(ticket, story.note, answered + timedelta(minutes=2), agent)
        engineer = pick.choice(self.cast.engineers)
        if ticket.severity == "urgent":
            moved = answered + timedelta(minutes=pick.uniform(2, 6))
            details: dict[str, object] = {"name": engineer.display_name, "title": engineer.title}
            self._event(ticket, TicketEventKind.ASSIGNED, moved, _by(agent), details)
            ticket.assignee = engineer
        found = answered + timedelta(minutes=pick.uniform(7, 25))
        self._reply(ticket, story.finding.format(**names), found, ticket.assignee)
        if end == "waiting":
            found += timedelta(minutes=3)
            self._reply(ticket, pick.choice(ASKED), found, ticket.assignee)
            ticket.state = TicketState.WAITING
            self._event(ticket, TicketEventKind.WAITING, found, _by(ticket.assignee))
            return
        asked = found + timedelta(minutes=pick.uniform(4, 40))
        if end == "asked":
            asked = self.at - timedelta(minutes=target * pick.uniform(0.3, 0.7))
        self._message(ticket, story.followup.format(**names), asked, customer)
        if end == "asked":
            self._running(ticket, coverage, ClockKind.NEXT, asked)
            return
        solved = asked + timedelta(minutes=target * pick.uniform(0.2, 0.9))
        self._stopped(
            ticket, coverage, ClockKind.NEXT, start=asked, stop=solved, by=ticket.assignee
        )
        self._reply(ticket, story.solution.format(**names), solved, ticket.assignee)
        if end in {"resolved", "closed"}:
            self._end(ticket, solved, customer, end)

    def _end(self, ticket: Ticket, solved: datetime, customer: dict[str, object], end: str) -> None:
        assert ticket.assignee is not None
        self._event(ticket, TicketEventKind.RESOLVED, solved, _by(ticket.assignee))
        ticket.state, ticket.resolved_at = TicketState.RESOLVED, solved
        ticket.closes_at = solved + CLOSES_AFTER
        closed = solved + timedelta(minutes=self.random.uniform(10, 600))
        by: dict[str, object] = customer
        if self.random.random() < 0.3:  # noqa: PLR2004  (nobody answers: time closes it)
            closed, by = ticket.closes_at, {"actor_name": "系统"}
        if end == "resolved" or closed > self.at:
            return
        if by is customer:
            self._message(ticket, self.random.choice(THANKS), closed, customer)
        self._event(ticket, TicketEventKind.CLOSED, closed, by)
        ticket.state, ticket.closed_at, ticket.closes_at = TicketState.CLOSED, closed, None
        if by is customer and self.random.random() < 0.7:  # noqa: PLR2004
            score = self.random.choices((5, 4, 3, 2), (60, 28, 9, 3))[0]
            rated = {"tenant_id": ticket.tenant_id, "ticket": ticket, "created_at": closed}
            comment = self.random.choice(COMMENTS)
            reasons = demo_customers.REASONS[score]
            self.rows.ratings.append(
                Rating(score=score, reasons=reasons, comment=comment, **rated, **customer)
            )
            self._event(ticket, TicketEventKind.RATED, closed, customer, {"score": score})

    def _running(
        self, ticket: Ticket, coverage: Coverage, kind: ClockKind, start: datetime
    ) -> None:
        clock = self._clock(ticket, coverage, kind, start)
        clock.next_stage_at = clock.next_stage()
        ticket.due_at = clock.due_at

    def _stopped(
        self,
        ticket: Ticket,
        coverage: Coverage,
        kind: ClockKind,
        *,
        start: datetime,
        stop: datetime,
        by: StaffMember | None,
    ) -> None:
        clock = self._clock(ticket, coverage, kind, start)
        clock.stopped_at, clock.outcome, clock.answered_by = stop, ClockOutcome.ANSWERED, by
        for percent, due in clock.pending_stages(stop):
            noticed = due + timedelta(seconds=self.random.uniform(0.2, 5))
            self.rows.stages.append(
                ClockStage(
                    tenant_id=ticket.tenant_id,
                    clock=clock,
                    percent=percent,
                    due_at=due,
                    noticed_at=noticed,
                )
            )
            clock.stage_passed = percent
        answered = {"answered_by": by.pk if by else None}
        self._clock_event(clock, ClockEventKind.STOPPED, stop, _by(by) if by else {}, answered)

    def _clock(self, ticket: Ticket, coverage: Coverage, kind: ClockKind, start: datetime) -> Clock:
        target = coverage.target_minutes[ticket.severity]
        clock = Clock(
            tenant_id=ticket.tenant_id,
            ticket=ticket,
            kind=kind,
            plan_code=coverage.plan_code,
            severity=ticket.severity,
            promised=coverage.promised,
            started_at=start,
            target_minutes=target,
            due_at=sla.due_instant(start, target),
            stage_percents=self.stages,
        )
        clock.stage_instants = sla.stage_instants(
            clock.stage_percents, start=start, due=clock.due_at
        )
        self.rows.clocks.append(clock)
        self._clock_event(clock, ClockEventKind.STARTED, start, {}, started_details(clock))
        return clock

    def _clock_event(
        self,
        clock: Clock,
        kind: ClockEventKind,
        at: datetime,
        by: dict[str, object],
        details: dict[str, Any],
    ) -> None:
        self.rows.clock_events.append(
            ClockEvent(
                tenant_id=clock.tenant_id,
                clock=clock,
                kind=kind,
                due_at=clock.due_at,
                target_minutes=clock.target_minutes,
                reason=clock.outcome,
                details=details,
                created_at=at,
                **by,
            )
        )

    def _routed(self, ticket: Ticket, coverage: Coverage, at: datetime) -> None:
        details = {
            "plan": coverage.plan_code,
            "desk": ticket.desk,
            "severity": ticket.severity,
            "minutes": coverage.target_minutes[ticket.severity],
            "promised": coverage.promised,
        }
        self._event(ticket, TicketEventKind.ROUTED, at, {"actor_name": "系统"}, details)

    def _reply(self, ticket: Ticket, body: str, at: datetime, card: StaffMember | None) -> None:
        assert card is not None
        self._message(ticket, body, at, _by(card), card)
        ticket.last_author, ticket.last_is_staff = card.display_name, True

    def _message(
        self,
        ticket: Ticket,
        body: str,
        at: datetime,
        by: dict[str, object],
        card: StaffMember | None = None,
    ) -> None:
        ticket.last_message_at, ticket.last_is_staff = at, card is not None
        ticket.last_author = str(by.get("actor_name", ""))
        self.rows.messages.append(
            TicketMessage(
                tenant_id=ticket.tenant_id,
                ticket=ticket,
                body=body,
                is_staff=card is not None,
                staff_member=card,
                created_at=at,
                search=search.vector(body),
                **by,
            )
        )

    def _note(self, ticket: Ticket, body: str, at: datetime, card: StaffMember) -> None:
        self.rows.notes.append(
            TicketNote(
                tenant_id=ticket.tenant_id, ticket=ticket, body=body, created_at=at, **_by(card)
            )
        )

    def _event(
        self,
        ticket: Ticket,
        kind: TicketEventKind,
        at: datetime,
        by: dict[str, object],
        details: dict[str, object] | None = None,
    ) -> None:
        self.rows.events.append(
            TicketEvent(
                tenant_id=ticket.tenant_id,
                ticket=ticket,
                kind=kind,
                details=details or {},
                created_at=at,
                **by,
            )
        )


def _by(card: StaffMember | None) -> dict[str, object]:
    """Return the snapshot of a person of staff."""
    assert card is not None
    return {"actor": card.user, "actor_name": card.display_name, "actor_title": card.title}


def _cast() -> Cast:
    cards = list(StaffMember.objects.select_related("user").order_by("id"))
    people: dict[int, list[tuple[User, str]]] = {}
    for row in Membership.objects.select_related("user").order_by("id"):
        title = str(TenantRole(row.role).label)
        people.setdefault(row.tenant_id, []).append((row.user, title))
    return Cast(
        tenants={tenant.name: tenant for tenant in Tenant.objects.all()},
        people=people,
        agents={
            Desk.VIP: [card for card in cards if StaffRole.VIP_AGENT in card.roles],
            Desk.STANDARD: [card for card in cards if StaffRole.CUSTOMER_SERVICE in card.roles],
        },
        engineers=[card for card in cards if StaffRole.ENGINEER in card.roles],
    )
