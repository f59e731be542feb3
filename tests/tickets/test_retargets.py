"""Plan, window and severity shorten running clocks, at exact instants and with their reason (domain.md §5)."""

import pytest
from django.utils import translation

from accounts.access import SYSTEM
from core.events import publish
from supportplans.events import LinkChanged
from supportplans.models import Figure, Plan, ResponseTarget, Subscription
from supportplans.services.changes import subscription_cancel, subscription_change
from supportplans.states import Basis, PlanCode, Severity
from tests.factories.tickets import NOW, minutes, open_window, submit, subscribe
from tickets.models import ClockStage
from tickets.selectors.clocks import clock_view, clock_views
from tickets.services.coverages import severity_raise, windows_sync
from tickets.services.replies import reply_add
from tickets.services.severities import severity_set
from tickets.services.sweeps import stages_sweep
from tickets.wording import event_sentence

pytestmark = pytest.mark.usefixtures("as_staff")


@pytest.fixture
def owner(cast):
    return cast.actor(cast.owner)


@pytest.fixture
def agent(cast):
    return cast.actor(cast.staff["vip_agent"])


def set_target(plan, severity, count, *, since):
    ResponseTarget.objects.create(
        plan=Plan.objects.get(code=plan), severity=severity, minutes=count, effective_from=since
    )


def set_figure(code, value, *, since):
    Figure.objects.create(code=code, value=value, effective_from=since)


def change_plan(plan, *, at):
    running = Subscription.objects.get(state="active")
    subscription_change(
        subscription_id=running.pk, plan_code=plan, lines=[], closed={}, actor=SYSTEM, at=at
    )


@pytest.mark.parametrize(
    ("upgraded", "due", "grace"),
    [
        (10, 30, False),  # start + new target
        (24.9, 30, False),
        (25, 30, True),  # start + new target = change + 5 min
        (40, 45, True),  # change + 5 min
        (54.9, 59.9, True),
        (55, 60, None),  # old due: nothing gets shorter
        (70, 60, None),  # missed already
    ],
)
def test_an_upgrade_gives_the_earliest_of_old_due_and_the_new_one(
    cast, owner, upgraded, due, grace
):
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    subscribe(cast.huachen, PlanCode.BUSINESS, at=minutes(upgraded))
    ticket.refresh_from_db()
    clock = ticket.clocks.get()
    assert clock.due_at == ticket.due_at == minutes(due)
    told = [event.details["grace"] for event in ticket.events.filter(kind="retargeted")]
    assert told == ([] if grace is None else [grace])


def test_a_downgrade_and_leaving_never_extend(cast, owner):
    subscribe(cast.huachen, PlanCode.ENTERPRISE, at=NOW)
    ticket = submit(cast.huachen, owner)
    change_plan(PlanCode.LITE, at=minutes(2))
    ticket.refresh_from_db()
    assert (ticket.due_at, ticket.plan_code, ticket.restore_priority) == (minutes(10), "lite", 3)
    running = Subscription.objects.get(state="active")
    subscription_cancel(subscription_id=running.pk, closed={}, actor=SYSTEM, at=minutes(3))
    ticket.refresh_from_db()
    assert (ticket.due_at, ticket.plan_code, ticket.desk) == (minutes(10), "standard", "standard")
    assert not ticket.events.filter(kind="retargeted").exists()
    # A clock that starts afterwards has the new plan's target.
    assert submit(cast.huachen, owner, at=minutes(4)).due_at == minutes(34)


def test_lowering_the_severity_never_extends(cast, owner, agent):
    subscribe(cast.huachen, at=NOW)
    ticket = submit(cast.huachen, owner)
    lowered = {"severity": Severity.GENERAL, "reason": "咨询", "actor": agent}
    ticket = severity_set(ticket_id=ticket.pk, at=minutes(1), **lowered)
    assert (ticket.severity, ticket.due_at, ticket.queue_rank) == ("general", minutes(10), 911)
    assert ticket.clocks.get().due_at == minutes(10)
    ticket = severity_raise(ticket_id=ticket.pk, actor=owner, at=minutes(2))
    assert ticket.due_at == minutes(10)


def test_a_window_counts_from_its_own_start_however_late_it_is_noticed(cast, owner):
    subscribe(cast.huachen, at=NOW)
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    open_window(cast.huachen, 1, starts=minutes(2), ends=minutes(600))
    windows_sync(at=minutes(25))
    ticket.refresh_from_db()
    clock = ticket.clocks.get()
    assert (clock.due_at, clock.retargeted_at) == (minutes(10), minutes(2))
    assert clock.stage_instants == [minutes(5), minutes(8), minutes(10), minutes(20)]
    assert (ticket.assurance_level, ticket.queue_rank) == (1, 101)
    assert ticket.events.get(kind="retargeted").created_at == minutes(2)


def test_an_answer_before_the_window_is_noticed_meets_the_windows_target(cast, owner, agent):
    subscribe(cast.huachen, at=NOW)
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    open_window(cast.huachen, 2, starts=minutes(2), ends=minutes(600))
    reply_add(ticket_id=ticket.pk, body="好", actor=agent, at=minutes(12))
    clock = ticket.clocks.get()
    assert (clock.due_at, clock.stopped_at) == (minutes(10), minutes(12))
    windows_sync(at=minutes(13))
    stages_sweep(at=minutes(13))
    assert [row.percent for row in ClockStage.objects.order_by("percent")] == [50, 80, 100]


def test_a_window_that_is_over_does_not_act_by_a_plan_that_came_later(cast, owner, agent):
    ticket = submit(cast.huachen, owner)
    open_window(cast.huachen, 1, starts=NOW, ends=minutes(1))
    subscribe(cast.huachen, PlanCode.LITE, at=minutes(20))
    reply_add(ticket_id=ticket.pk, body="好", actor=agent, at=minutes(21))
    clock = ticket.clocks.get()
    assert (clock.due_at, clock.retargeted_at) == (minutes(25), minutes(20))


@pytest.mark.parametrize(("level", "due"), [(1, 10), (2, 10), (3, 30)])
def test_windows_by_level(cast, owner, level, due):
    subscribe(cast.huachen, at=NOW)
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    open_window(cast.huachen, level, starts=minutes(2), ends=minutes(600))
    windows_sync(at=minutes(2))
    ticket.refresh_from_db()
    assert (ticket.due_at, ticket.assurance_level) == (minutes(due), level)


def test_the_higher_of_two_windows_counts_and_its_end_gives_way_to_the_other(cast, owner):
    subscribe(cast.huachen, PlanCode.LITE, at=NOW)
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    open_window(cast.huachen, 2, starts=minutes(1), ends=minutes(300))
    open_window(cast.huachen, 1, starts=minutes(2), ends=minutes(60))
    places = []
    for at in (1, 2, 60, 300):
        windows_sync(at=minutes(at))
        ticket.refresh_from_db()
        places.append((ticket.assurance_level, ticket.restore_priority, ticket.queue_rank))
    assert places == [(2, 2, 202), (1, 1, 101), (2, 2, 202), (None, 3, 913)]
    assert ticket.due_at == minutes(10)


def test_a_target_that_an_operator_changes_is_for_clocks_that_start_afterwards(cast, owner, agent):
    subscribe(cast.huachen, PlanCode.LITE, at=NOW)
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    set_target("lite", Severity.URGENT, 6, since=minutes(1))
    set_target("lite", Severity.GENERAL, 12, since=minutes(1))
    windows_sync(at=minutes(2))
    ticket.refresh_from_db()
    assert ticket.due_at == minutes(30)
    # Neither does it reach a running clock by way of something else.
    ticket = severity_raise(ticket_id=ticket.pk, actor=owner, at=minutes(3))
    assert ticket.due_at == minutes(10)
    reply_add(ticket_id=ticket.pk, body="好", actor=agent, at=minutes(4))
    ticket = reply_add(ticket_id=ticket.pk, body="还在", actor=owner, at=minutes(5))
    assert ticket.due_at == minutes(11)
    assert submit(cast.huachen, owner, at=minutes(0.9)).due_at == minutes(10.9)


def test_stages_that_an_operator_changes_are_for_clocks_that_start_afterwards(cast, owner):
    subscribe(cast.huachen, at=NOW)
    before = submit(cast.huachen, owner).clocks.get()
    set_figure("warn_first", 40, since=minutes(1))
    set_figure("warn_again", 90, since=minutes(1))
    set_figure("escalate", 150, since=minutes(1))
    after = submit(cast.huachen, owner, at=minutes(1)).clocks.get()
    assert (before.stage_percents, after.stage_percents) == ([50, 80, 100, 200], [40, 90, 100, 150])
    stages_sweep(at=minutes(60))
    assert [row.due_at for row in after.stages.order_by("percent")] == [
        minutes(5),
        minutes(10),
        minutes(11),
        minutes(16),
    ]


def test_two_equal_warnings_are_one_stage(cast, owner):
    set_figure("warn_first", 80, since=NOW)
    assert submit(cast.huachen, owner).clocks.get().stage_percents == [80, 100, 200]


def test_whether_it_is_promised_is_fixed_at_the_start(cast, owner):
    subscribe(cast.huachen, PlanCode.LITE, Basis.TRIAL, at=NOW)
    clock = submit(cast.huachen, owner, severity=Severity.GENERAL).clocks.get()
    subscribe(cast.huachen, PlanCode.ENTERPRISE, at=minutes(3))
    clock.refresh_from_db()
    assert (clock.promised, clock.due_at) == (False, minutes(30))


def test_a_new_link_changes_the_place_only(cast, owner):
    subscribe(cast.huachen, PlanCode.LITE, at=NOW)
    ticket = submit(cast.huachen, owner)
    type(ticket).objects.update(queue_rank=1, restore_priority=9)
    publish(LinkChanged(tenant_id=cast.huachen.pk, priority=None, at=minutes(1)))
    ticket.refresh_from_db()
    assert (ticket.queue_rank, ticket.restore_priority, ticket.due_at) == (903, 3, minutes(10))


def test_each_change_is_explained_in_both_languages(cast, owner):
    ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
    subscribe(cast.huachen, PlanCode.ENTERPRISE, at=minutes(10))
    open_window(cast.huachen, 1, starts=minutes(12), ends=minutes(600))
    windows_sync(at=minutes(12))
    first, second = ticket.events.filter(kind="retargeted")
    assert event_sentence(first) == (
        "支持计划升级为企业级，响应目标由 60 分钟调整为 30 分钟，10:32:11 前响应"
    )
    assert event_sentence(second) == (
        "一级重保开始，响应目标由 30 分钟调整为 10 分钟，变更后至少保留 5 分钟，10:19:11 前响应"
    )
    (view,) = clock_views(ticket.clocks.all(), minutes(13))
    assert view.notes == [
        "应于 2026-11-23 10:19:11（北京时间）前响应",
        "目标 10 分钟：企业级，一般",
        "11-23 10:12:11 支持计划升级为企业级，60 → 30 分钟",
        "11-23 10:14:11 一级重保开始，30 → 10 分钟",
    ]
    assert clock_view(view.clock, ticket.events.all(), minutes(13)).notes == view.notes
    with translation.override("en"):
        assert "Enterprise" in event_sentence(first)
        assert "10:19:11 (Beijing time)" in view.notes[0]
        assert not any("\u4e00" <= letter <= "\u9fff" for note in view.notes for letter in note)
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in event_sentence(second))
