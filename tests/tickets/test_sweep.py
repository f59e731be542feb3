"""Stages are recorded at their instants, each once, whoever sweeps and however late."""

import threading
from datetime import timedelta

import pytest
from celery import current_app
from django.db import connection

from core import clock as core_clock
from core.tenancy import scope
from messaging.models import Message
from messaging.services import messages_expand
from supportplans.states import Basis, PlanCode, Severity
from tests.cast import make_cast
from tests.factories.tickets import NOW, minutes, open_window, submit, subscribe
from tickets.models import Clock, ClockStage
from tickets.selectors.clock_proof import clocks_differing
from tickets.services import sweeps
from tickets.services.assignment import ticket_take
from tickets.services.replies import reply_add


@pytest.fixture
def ticket(cast, as_staff):
    subscribe(cast.huachen, at=NOW)
    return submit(cast.huachen, cast.actor(cast.owner))


def stages():
    rows = ClockStage.objects.order_by("percent")
    return [(row.percent, row.due_at, row.noticed_at) for row in rows]


def told():
    return [
        (message.context["percent"], message.audience)
        for message in Message.objects.filter(kind="tickets.stage_passed").order_by("id")
    ]


def test_each_stage_is_recorded_once_at_its_instant(ticket):
    for second in range(0, 25 * 60, 5):
        sweeps.stages_sweep(at=NOW + timedelta(seconds=second))
    five = timedelta(seconds=5)
    assert stages() == [
        (50, minutes(5), minutes(5) + five),
        (80, minutes(8), minutes(8) + five),
        (100, minutes(10), minutes(10) + five),
        (200, minutes(20), minutes(20) + five),
    ]
    assert Clock.objects.get().next_stage_at is None


def test_who_is_told_at_which_stage(cast, ticket):
    for late in (5.1, 8.1, 10.1, 20.1):
        sweeps.stages_sweep(at=minutes(late))
    lead, manager = "staff:team_lead", "tenant:account_manager"
    assert told() == [
        (50, [lead]),
        (80, [lead]),
        (100, [lead, manager]),
        (200, [lead, "staff:duty_manager"]),
    ]


def test_the_assignee_is_warned_instead_of_the_lead(cast, ticket):
    agent = cast.staff["vip_agent"]
    ticket_take(ticket_id=ticket.pk, actor=cast.actor(agent), at=minutes(1))
    sweeps.stages_sweep(at=minutes(5.1))
    assert told() == [(50, [f"user:{agent.pk}"])]


def test_after_an_outage_all_stages_count_and_one_message_names_the_highest(cast, ticket):
    assert sweeps.sweep_lag_seconds(minutes(6)) == 60.0
    assert sweeps.stages_sweep(at=minutes(25)) == 1
    assert sweeps.stages_sweep(at=minutes(25)) == 0
    assert [(percent, due) for percent, due, _ in stages()] == [
        (50, minutes(5)),
        (80, minutes(8)),
        (100, minutes(10)),
        (200, minutes(20)),
    ]
    assert told() == [(200, ["staff:team_lead", "tenant:account_manager", "staff:duty_manager"])]
    assert sweeps.sweep_lag_seconds(minutes(25)) == 0.0
    messages_expand(at=minutes(25))
    message = Message.objects.get(kind="tickets.stage_passed")
    recipients = {delivery.recipient.email for delivery in message.deliveries.all()}
    assert recipients == {
        "team_lead@portal.test",
        "account_manager@portal.test",
        "duty_manager@portal.test",
    }
    assert "已超时 200%" in message.deliveries.first().subject


def test_an_answer_between_breach_and_notice_hides_nothing(cast, ticket):
    agent = cast.actor(cast.staff["vip_agent"])
    reply_add(ticket_id=ticket.pk, body="抱歉", actor=agent, at=minutes(11))
    sweeps.stages_sweep(at=minutes(30))
    assert [percent for percent, *_ in stages()] == [50, 80, 100]
    assert Clock.objects.get().next_stage_at is None


def test_an_answer_at_the_due_instant_breaches_nothing(cast, ticket):
    agent = cast.actor(cast.staff["vip_agent"])
    sweeps.stages_sweep(at=minutes(10))
    reply_add(ticket_id=ticket.pk, body="好的", actor=agent, at=minutes(10))
    sweeps.stages_sweep(at=minutes(30))
    assert [percent for percent, *_ in stages()] == [50, 80]


def test_an_answer_that_was_received_before_the_breach_voids_its_record(cast, ticket):
    """The sweep came first, the answer's instant is earlier: the instants decide."""
    agent = cast.actor(cast.staff["vip_agent"])
    sweeps.stages_sweep(at=minutes(10.1))
    reply_add(ticket_id=ticket.pk, body="好的", actor=agent, at=minutes(9.99))
    clock = Clock.objects.get()
    assert (clock.stage_passed, clock.next_stage_at) == (80, None)
    assert clocks_differing().differing == {}


def test_the_sweep_asks_the_database_little(cast, as_staff, max_queries):
    """Stages, clocks and messages of a batch are two statements, however many clocks it has."""
    owner = cast.actor(cast.owner)
    for _ in range(20):
        submit(cast.huachen, owner)
    with max_queries(2):
        assert sweeps.stages_sweep(at=minutes(16)) == 20
    assert Message.objects.filter(kind="tickets.stage_passed").count() == 20
    with max_queries(1):
        assert sweeps.stages_sweep(at=minutes(16)) == 0


def test_a_batch_takes_what_fell_due_first(cast, as_staff):
    owner = cast.actor(cast.owner)
    late, early = (submit(cast.huachen, owner, at=minutes(start)) for start in (3, 0))
    assert sweeps.stages_sweep(at=minutes(20), limit=1) == 1
    assert ClockStage.objects.get().clock == early.clocks.get()
    assert not late.clocks.get().stage_passed


def test_what_is_due_is_found_by_the_partial_index(cast, as_staff):
    submit(cast.huachen, cast.actor(cast.owner))
    with connection.cursor() as cursor:
        for other_way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{other_way} = off")
        cursor.execute(f"EXPLAIN {sweeps._SWEEP}", {"at": NOW, "limit": 1000})
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Scan using clock_stage_due on tickets_clock" in plan
    lag = Clock.objects.filter(next_stage_at__lt=NOW).order_by("next_stage_at")[:1].explain()
    assert "clock_stage_due" in lag


def test_no_task_waits_for_a_single_ticket(
    cast, as_staff, run_jobs, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        submit(cast.huachen, cast.actor(cast.owner))
    # Dealing looks at all tickets; it names none.
    assert {
        name: kwargs for name, kwargs, _ in run_jobs.waiting if name.startswith("tickets.")
    } == {"tickets.tickets_deal": {}}


def test_the_task_opens_windows_before_it_records_stages(cast, as_staff, monkeypatch):
    subscribe(cast.huachen, at=NOW)
    ticket = submit(cast.huachen, cast.actor(cast.owner), severity=Severity.GENERAL)
    open_window(cast.huachen, 1, starts=minutes(1), ends=minutes(90))
    monkeypatch.setattr("tickets.tasks.clock.now", lambda: minutes(18))
    current_app.tasks["tickets.sweep"]()
    assert ticket.clocks.get().due_at == minutes(10)
    assert [(percent, due) for percent, due, _ in stages()] == [
        (50, minutes(5)),
        (80, minutes(8)),
        (100, minutes(10)),
    ]


def test_stages_are_recorded_even_where_a_window_fails(ticket, monkeypatch):
    def fail(**_):
        raise RuntimeError("a window")

    monkeypatch.setattr("tickets.tasks.coverages.windows_sync", fail)
    monkeypatch.setattr("tickets.tasks.clock.now", lambda: minutes(6))
    with pytest.raises(RuntimeError, match="a window"):
        current_app.tasks["tickets.sweep"]()
    assert [percent for percent, *_ in stages()] == [50]


def test_a_ticket_that_waits_for_the_customer_passes_no_stage(cast, ticket):
    agent = cast.actor(cast.staff["vip_agent"])
    reply_add(ticket_id=ticket.pk, body="请提供日志", actor=agent, at=minutes(2), wait=True)
    assert sweeps.stages_sweep(at=minutes(600)) == 0
    assert (stages(), told()) == ([], [])


def test_trial_clocks_warn_and_say_that_they_promise_nothing(cast, as_staff):
    subscribe(cast.huachen, PlanCode.ENTERPRISE, Basis.TRIAL, at=NOW)
    submit(cast.huachen, cast.actor(cast.owner))
    sweeps.stages_sweep(at=minutes(11))
    (message,) = Message.objects.filter(kind="tickets.stage_passed")
    assert (message.context["percent"], message.context["promised"]) == (100, False)


class TestRaces:
    """Real threads, real transactions."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def people(self, transactional_db, settings):
        from django.core.management import call_command

        call_command("load_catalogue", verbosity=0)
        return make_cast(core_clock.now())

    def run(self, *steps):
        barrier = threading.Barrier(len(steps))
        errors = []

        def go(step):
            try:
                barrier.wait(10)
                with scope.staff():
                    step()
            except Exception as error:  # handed to the test
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=go, args=(step,)) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert errors == []

    @pytest.mark.parametrize("sweepers", [2, 8])
    def test_sweepers_side_by_side_lose_and_double_nothing(self, people, sweepers):
        with scope.staff():
            subscribe(people.huachen, PlanCode.LITE, at=NOW)
            for _ in range(40):
                submit(people.huachen, people.actor(people.owner))
        taken = []

        def sweep():
            while count := sweeps.stages_sweep(at=minutes(25), limit=7):
                taken.append(count)

        self.run(*[sweep] * sweepers)
        with scope.staff():
            # What a sweeper that ended early left to one that held it was done by that one.
            assert sum(taken) == 40
            assert ClockStage.objects.count() == 40 * 4
            assert Message.objects.filter(kind="tickets.stage_passed").count() == 40
            assert clocks_differing().differing == {}

    def test_a_reply_between_two_sweeps_has_one_exact_outcome(self, people):
        """Whoever comes first: on time is on time, and what was due before the answer counts, nothing else."""
        agent = people.actor(people.staff["vip_agent"])
        with scope.staff():
            subscribe(people.huachen, PlanCode.LITE, at=NOW)
            tickets = [submit(people.huachen, people.actor(people.owner)) for _ in range(10)]

        def reply():
            for ticket in tickets:
                reply_add(ticket_id=ticket.pk, body="好", actor=agent, at=minutes(9))

        def sweep():
            for _ in range(10):
                sweeps.stages_sweep(at=minutes(25), limit=3)

        self.run(reply, sweep, sweep)
        with scope.staff():
            sweeps.stages_sweep(at=minutes(25))
            for clock in Clock.objects.prefetch_related("stages"):
                valid = {row.percent for row in clock.stages.all() if row.due_at < clock.stopped_at}
                assert valid == {50, 80}
                assert (clock.stopped_at, clock.stage_passed) == (minutes(9), 80)
                assert clock.next_stage_at is None
            assert clocks_differing().differing == {}

    def test_a_ticket_that_is_opened_during_an_upgrade_has_the_new_target(self, people):
        begun, go = threading.Event(), threading.Event()

        def upgrade():
            subscribe(people.huachen, PlanCode.LITE, at=NOW)
            begun.set()
            go.wait(10)

        def open_ticket():
            begun.wait(10)
            threading.Timer(0.5, go.set).start()  # the submission waits for the upgrade meanwhile
            submit(people.huachen, people.actor(people.owner), at=minutes(1))

        self.run(upgrade, open_ticket)
        with scope.staff():
            assert Clock.objects.get().due_at == minutes(11)
