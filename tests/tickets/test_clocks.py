"""Clocks start, stop, and are re-targeted (domain.md §5)."""

import pytest

from messaging.models import Message
from supportplans.models import Subscription
from supportplans.services.subscriptions import subscriptions_expire_due
from supportplans.states import Basis, PlanCode, Severity
from tests.factories.tickets import NOW, minutes, open_window, submit, subscribe
from tickets.exceptions import ReopenTooLate, ReplyEmpty, ReplyNeeded, TicketMoveRefused
from tickets.models import Clock, ClockEvent, TicketEvent
from tickets.services.coverages import severity_raise, windows_sync
from tickets.services.replies import note_add, reply_add, ticket_reopen
from tickets.services.tickets import ticket_confirm, ticket_resolve, tickets_close_due

pytestmark = pytest.mark.usefixtures("as_staff")


@pytest.fixture
def owner(cast):
    return cast.actor(cast.owner)


@pytest.fixture
def agent(cast):
    return cast.actor(cast.staff["vip_agent"])


@pytest.mark.parametrize(
    ("plan", "severity", "target", "desk"),
    [
        (None, Severity.URGENT, 30, "standard"),
        (None, Severity.GENERAL, 60, "standard"),
        (PlanCode.LITE, Severity.URGENT, 10, "vip"),
        (PlanCode.LITE, Severity.GENERAL, 30, "vip"),
        (PlanCode.BUSINESS, Severity.URGENT, 10, "vip"),
        (PlanCode.ENTERPRISE, Severity.GENERAL, 30, "vip"),
    ],
)
def test_the_first_clock_has_the_plans_target_from_submission(
    cast, owner, plan, severity, target, desk
):
    if plan:
        subscribe(cast.huachen, plan, at=NOW)
    ticket = submit(cast.huachen, owner, severity=severity)
    clock = ticket.clocks.get()
    assert (clock.kind, clock.instance, clock.promised) == ("first", 1, True)
    assert (clock.started_at, clock.due_at) == (NOW, minutes(target))
    assert clock.next_stage_at == minutes(target / 2)
    assert (ticket.due_at, ticket.desk, ticket.state) == (minutes(target), desk, "new")


def test_a_trials_clock_runs_and_promises_nothing(cast, owner):
    subscribe(cast.huachen, PlanCode.ENTERPRISE, Basis.TRIAL, at=NOW)
    clock = submit(cast.huachen, owner).clocks.get()
    assert (clock.target_minutes, clock.promised) == (10, False)


def test_the_first_public_reply_stops_the_clock(cast, owner, agent):
    ticket = submit(cast.huachen, owner)
    ticket = reply_add(ticket_id=ticket.pk, body="您好，已收到。", actor=agent, at=minutes(6.2))
    clock = ticket.clocks.get()
    assert (clock.stopped_at, clock.outcome) == (minutes(6.2), "answered")
    assert clock.answered_by == cast.card("vip_agent")
    assert clock.next_stage_at is None
    assert ticket.first_response_at == minutes(6.2)
    assert (ticket.state, ticket.due_at) == ("processing", None)
    assert ticket.assignee == cast.card("vip_agent")
    assert [e.kind for e in ticket.events.all()] == ["submitted", "routed", "responded"]


def test_a_note_is_no_response(cast, owner, agent):
    ticket = submit(cast.huachen, owner)
    note_add(ticket_id=ticket.pk, body="疑似交换机端口异常", actor=agent, at=minutes(1))
    ticket.refresh_from_db()
    assert ticket.clocks.get().stopped_at is None
    assert (ticket.due_at, ticket.state) == (minutes(30), "new")


def test_a_second_message_before_the_answer_opens_no_second_clock(cast, owner):
    ticket = submit(cast.huachen, owner)
    reply_add(ticket_id=ticket.pk, body="补充：仍在扩大", actor=owner, at=minutes(3))
    assert ticket.clocks.count() == 1


def test_each_silence_after_the_answer_has_its_own_clock(cast, owner, agent):
    ticket = submit(cast.huachen, owner)
    reply_add(ticket_id=ticket.pk, body="处理中", actor=agent, at=minutes(2))
    reply_add(ticket_id=ticket.pk, body="还没好", actor=owner, at=minutes(40))
    reply_add(ticket_id=ticket.pk, body="请尽快", actor=owner, at=minutes(45))
    second = ticket.clocks.get(kind="next")
    assert (second.instance, second.started_at, second.due_at) == (1, minutes(40), minutes(70))
    reply_add(ticket_id=ticket.pk, body="好了", actor=agent, at=minutes(50))
    reply_add(ticket_id=ticket.pk, body="另一台呢", actor=owner, at=minutes(60))
    assert ticket.clocks.get(kind="next", instance=2).started_at == minutes(60)


def test_nothing_runs_while_the_customer_is_asked(cast, owner, agent):
    ticket = submit(cast.huachen, owner)
    ticket = reply_add(
        ticket_id=ticket.pk, body="请提供日志", actor=agent, at=minutes(2), wait=True
    )
    assert (ticket.state, ticket.due_at) == ("waiting", None)
    assert not ticket.clocks.filter(stopped_at=None).exists()
    ticket = reply_add(ticket_id=ticket.pk, body="已上传", actor=owner, at=minutes(600))
    assert (ticket.state, ticket.due_at) == ("processing", minutes(630))


def test_waiting_needs_words(cast, owner, agent):
    ticket = submit(cast.huachen, owner)
    with pytest.raises(ReplyEmpty):
        reply_add(ticket_id=ticket.pk, body="  ", actor=agent, at=minutes(2), wait=True)
    ticket.refresh_from_db()
    assert ticket.state == "new"


def test_the_same_key_submits_and_replies_once(cast, owner, agent):
    first = submit(cast.huachen, owner, idempotency_key="k1")
    again = submit(cast.huachen, owner, idempotency_key="k1", title="另一个标题")
    assert first.pk == again.pk
    for _ in range(2):
        reply_add(ticket_id=first.pk, body="好的", actor=agent, at=minutes(1), idempotency_key="r1")
    assert first.messages.count() == 2
    assert submit(cast.yunfan, owner, idempotency_key="k1").pk != first.pk


def test_resolving_needs_an_answer_for_who_waits(cast, owner, agent):
    ticket = submit(cast.huachen, owner)
    with pytest.raises(ReplyNeeded):
        ticket_resolve(ticket_id=ticket.pk, actor=agent, at=minutes(1))
    ticket = ticket_resolve(ticket_id=ticket.pk, body="已修复", actor=agent, at=minutes(2))
    assert (ticket.state, ticket.closes_at) == ("resolved", minutes(2 + 7 * 24 * 60))
    assert Message.objects.filter(kind="tickets.resolved").count() == 1


def test_a_solved_ticket_closes_after_seven_days(cast, owner, agent):
    ticket = submit(cast.huachen, owner)
    ticket_resolve(ticket_id=ticket.pk, body="已修复", actor=agent, at=NOW)
    week = 7 * 24 * 60
    assert tickets_close_due(at=minutes(week - 1)) == 0
    assert tickets_close_due(at=minutes(week + 30)) == 1
    assert tickets_close_due(at=minutes(week + 30)) == 0
    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_at) == ("closed", minutes(week))


def test_a_customers_word_reopens_within_seven_days(cast, owner, agent):
    ticket = submit(cast.huachen, owner)
    ticket_resolve(ticket_id=ticket.pk, body="已修复", actor=agent, at=NOW)
    ticket = reply_add(ticket_id=ticket.pk, body="又出现了", actor=owner, at=minutes(60))
    assert (ticket.state, ticket.due_at, ticket.closes_at) == ("processing", minutes(90), None)
    ticket_confirm(ticket_id=ticket.pk, actor=owner, at=minutes(70))
    late = minutes(70 + 7 * 24 * 60 + 1)
    with pytest.raises(ReopenTooLate):
        ticket_reopen(ticket_id=ticket.pk, body="又来", actor=owner, at=late)


def test_a_clock_that_the_customer_ends_is_withdrawn_not_answered(cast, owner):
    ticket = submit(cast.huachen, owner)
    ticket = ticket_confirm(ticket_id=ticket.pk, actor=owner, at=minutes(3))
    assert (ticket.state, ticket.due_at) == ("closed", None)
    assert ticket.clocks.get().outcome == "withdrawn"
    with pytest.raises(TicketMoveRefused):
        reply_add(ticket_id=ticket.pk, body="还有", actor=owner, at=minutes(4))


def test_an_upgrade_shortens_running_clocks_and_says_so(cast, owner):
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    subscribe(cast.huachen, PlanCode.LITE, at=minutes(10))
    ticket.refresh_from_db()
    clock = ticket.clocks.get()
    assert (clock.due_at, clock.target_minutes, clock.promised) == (minutes(30), 30, True)
    assert clock.next_stage_at == minutes(15)
    assert (ticket.due_at, ticket.desk, ticket.plan_code) == (minutes(30), "vip", "lite")
    event = ticket.events.get(kind="retargeted")
    assert (event.details["before"], event.details["after"]) == (60, 30)
    assert event.details["reason"] == "plan_lite"
    assert [e.kind for e in ClockEvent.objects.filter(clock=clock)] == ["started", "retargeted"]


def test_a_late_upgrade_leaves_five_minutes_and_fires_missed_stages_at_the_change(cast, owner):
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    subscribe(cast.huachen, PlanCode.LITE, at=minutes(29))
    clock = ticket.clocks.get()
    assert clock.due_at == minutes(34)
    assert clock.next_stage_at == minutes(29)  # 50 % would lie at minute 17


def test_the_end_of_a_plan_extends_no_clock(cast, owner):
    subscribe(cast.huachen, PlanCode.LITE, at=NOW)
    Subscription.objects.update(ends=minutes(5))
    ticket = submit(cast.huachen, owner)
    subscriptions_expire_due(at=minutes(6))
    ticket.refresh_from_db()
    assert (ticket.due_at, ticket.plan_code, ticket.desk) == (minutes(10), "standard", "standard")
    assert not ticket.events.filter(kind="retargeted").exists()


def test_a_window_raises_and_its_end_gives_back_the_place_but_not_the_time(cast, owner):
    subscribe(cast.huachen, at=NOW)
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    other = submit(cast.yunfan, owner, severity=Severity.GENERAL)
    open_window(cast.huachen, 2, starts=minutes(2), ends=minutes(9))
    assert windows_sync(at=minutes(1)) == 0
    assert windows_sync(at=minutes(3)) == 1
    assert windows_sync(at=minutes(4)) == 0
    ticket.refresh_from_db()
    assert (ticket.assurance_level, ticket.due_at) == (2, minutes(10))
    assert ticket.queue_rank < other.queue_rank
    assert windows_sync(at=minutes(9)) == 1
    ticket.refresh_from_db()
    assert (ticket.assurance_level, ticket.due_at) == (None, minutes(10))


def test_raising_the_severity_shortens_the_clock(cast, owner):
    subscribe(cast.huachen, at=NOW)
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    ticket = severity_raise(ticket_id=ticket.pk, actor=owner, at=minutes(2))
    assert (ticket.severity, ticket.due_at) == ("urgent", minutes(10))
    assert TicketEvent.objects.filter(ticket=ticket, kind="severity_raised").exists()
    with pytest.raises(TicketMoveRefused):
        severity_raise(ticket_id=ticket.pk, actor=owner, at=minutes(3))


def test_every_clock_can_be_rebuilt_from_its_events(cast, owner, agent):
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    subscribe(cast.huachen, PlanCode.LITE, at=minutes(10))
    reply_add(ticket_id=ticket.pk, body="好", actor=agent, at=minutes(12))
    reply_add(ticket_id=ticket.pk, body="还在", actor=owner, at=minutes(20))
    for clock in Clock.objects.all():
        events = list(clock.events.all())
        stopped = [e.created_at for e in events if e.kind == "stopped"]
        assert events[0].created_at == clock.started_at
        assert (events[-1].due_at, events[-1].target_minutes) == (
            clock.due_at,
            clock.target_minutes,
        )
        assert (stopped[0] if stopped else None) == clock.stopped_at
