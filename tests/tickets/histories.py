"""Random lives of a ticket: what people, plans, windows, operators and sweeps do to it, one after the other."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from hypothesis import strategies as st

from core.exceptions import DomainError
from supportplans.models import Plan, ResponseTarget, Subscription
from supportplans.services.changes import subscription_cancel, subscription_change
from supportplans.states import Severity, SubscriptionState
from tests.factories.tickets import NOW, open_window, submit, subscribe
from tickets.models import Clock, ClockStage, Ticket
from tickets.services.coverages import severity_raise, windows_sync
from tickets.services.replies import reply_add, ticket_reopen
from tickets.services.severities import severity_set
from tickets.services.sweeps import stages_sweep
from tickets.services.tickets import ticket_confirm, ticket_resolve

PLANS = ("lite", "business", "enterprise")
# Seconds between two deeds; the round ones meet stages and due instants exactly.
GAPS = st.one_of(
    st.sampled_from([0, 60, 240, 300, 480, 600, 900, 1200, 1800, 3600]), st.integers(1, 4000)
)
DEEDS = st.one_of(
    st.tuples(
        st.sampled_from(["answer", "answer", "ask", "say", "say", "raise", "lower", "leave"])
    ),
    st.tuples(st.sampled_from(["resolve", "reopen", "confirm", "sweep", "sync"])),
    st.tuples(st.just("plan"), st.sampled_from(PLANS)),
    st.tuples(st.just("window"), st.integers(1, 3), st.integers(60, 5000)),
    st.tuples(st.just("target"), st.sampled_from(PLANS), st.integers(1, 40)),
)
HISTORIES = st.tuples(
    st.sampled_from(list(Severity)), st.lists(st.tuples(GAPS, DEEDS), min_size=1, max_size=10)
)


@dataclass
class Life:
    """One ticket of 华辰, lived deed by deed. With ``sweeping`` workers run all the time, else only at the end."""

    cast: object
    sweeping: bool

    def live(self, history) -> datetime:
        """Live it, then let the workers catch up; return the last instant."""
        severity, deeds = history
        self.owner = self.cast.actor(self.cast.owner)
        self.agent = self.cast.actor(self.cast.staff["vip_agent"])
        self.ticket = submit(self.cast.huachen, self.owner, severity=severity, at=NOW)
        at = NOW
        for gap, (deed, *what) in deeds:
            at += timedelta(seconds=gap)
            with suppress(DomainError), transaction.atomic():
                getattr(self, f"do_{deed}")(at, *what)
            if self.sweeping:
                self.work(at)
        at += timedelta(seconds=1)
        self.work(at)
        return at

    def work(self, at):
        windows_sync(at=at)
        stages_sweep(at=at)

    def do_answer(self, at):
        reply_add(ticket_id=self.ticket.pk, body="已处理", actor=self.agent, at=at)

    def do_ask(self, at):
        reply_add(ticket_id=self.ticket.pk, body="请补充", actor=self.agent, at=at, wait=True)

    def do_say(self, at):
        reply_add(ticket_id=self.ticket.pk, body="还在", actor=self.owner, at=at)

    def do_raise(self, at):
        severity_raise(ticket_id=self.ticket.pk, actor=self.owner, at=at)

    def do_lower(self, at):
        severity_set(
            ticket_id=self.ticket.pk,
            severity=Severity.GENERAL,
            reason="咨询",
            actor=self.agent,
            at=at,
        )

    def do_resolve(self, at):
        ticket_resolve(ticket_id=self.ticket.pk, body="已修复", actor=self.agent, at=at)

    def do_reopen(self, at):
        ticket_reopen(ticket_id=self.ticket.pk, body="又来", actor=self.owner, at=at)

    def do_confirm(self, at):
        ticket_confirm(ticket_id=self.ticket.pk, actor=self.owner, at=at)

    def do_plan(self, at, plan):
        running = Subscription.objects.filter(state=SubscriptionState.ACTIVE).first()
        if running is None:
            subscribe(self.cast.huachen, plan, at=at)
        else:
            subscription_change(
                subscription_id=running.pk,
                plan_code=plan,
                lines=[],
                closed={},
                actor=self.owner,
                at=at,
            )

    def do_leave(self, at):
        running = Subscription.objects.filter(state=SubscriptionState.ACTIVE).first()
        if running is not None:
            subscription_cancel(subscription_id=running.pk, closed={}, actor=self.owner, at=at)

    def do_window(self, at, level, seconds):
        open_window(self.cast.huachen, level, starts=at, ends=at + timedelta(seconds=seconds))

    def do_target(self, at, plan, minutes):
        ResponseTarget.objects.update_or_create(
            plan=Plan.objects.get(code=plan),
            severity=Severity.URGENT,
            effective_from=at,
            defaults={"minutes": minutes},
        )

    def do_sweep(self, at):
        if self.sweeping:
            stages_sweep(at=at)

    def do_sync(self, at):
        if self.sweeping:
            windows_sync(at=at)


def facts():
    """Return all that matters of the clocks and their stages, without ids and instants of notice."""
    rows = []
    for clock in Clock.objects.order_by("id"):
        stages = ClockStage.objects.filter(clock=clock).order_by("percent")
        rows.append(
            (
                (clock.kind, clock.instance, clock.plan_code, clock.severity, clock.promised),
                (clock.started_at, clock.target_minutes, clock.due_at, clock.retargeted_at),
                (clock.stopped_at, clock.outcome, clock.stage_passed, clock.next_stage_at),
                [(stage.percent, stage.due_at) for stage in stages],
            )
        )
    (ticket,) = Ticket.objects.all()
    place = (ticket.plan_code, ticket.assurance_level, ticket.queue_rank) if ticket.is_open else ()
    return rows, (ticket.state, ticket.due_at, ticket.severity, place)
