"""Stages are recorded at their instants, each once, whoever sweeps and however late."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from core import clock as core_clock
from core.tenancy import scope
from messaging.models import Message
from messaging.services import messages_expand
from supportplans.states import PlanCode
from tests.cast import make_cast
from tests.factories.tickets import NOW, minutes, submit, subscribe
from tickets.models import Clock, ClockStage
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


def test_the_sweep_asks_the_database_little(cast, as_staff, max_queries):
    owner = cast.actor(cast.owner)
    for _ in range(20):
        submit(cast.huachen, owner)
    with max_queries(3 + 20):  # one outbox row for each clock
        assert sweeps.stages_sweep(at=minutes(16)) == 20
    with max_queries(1):
        assert sweeps.stages_sweep(at=minutes(16)) == 0


def test_nothing_due_is_found_by_the_partial_index(cast, as_staff):
    submit(cast.huachen, cast.actor(cast.owner))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Clock.objects.filter(next_stage_at__lt=NOW).order_by("next_stage_at")[:1].explain()
    assert "clock_stage_due" in plan


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

    def test_two_sweeps_record_each_stage_once(self, people):
        with scope.staff():
            subscribe(people.huachen, PlanCode.LITE, at=NOW)
            for _ in range(30):
                submit(people.huachen, people.actor(people.owner))
        taken = []
        sweep = lambda: taken.append(sweeps.stages_sweep(at=minutes(25), limit=20))  # noqa: E731
        self.run(sweep, sweep)
        with scope.staff():
            assert sum(taken) <= 30
            sweeps.stages_sweep(at=minutes(25))
            assert ClockStage.objects.count() == 30 * 4
            assert Message.objects.filter(kind="tickets.stage_passed").count() == 30

    def test_a_reply_and_a_sweep_leave_one_truth(self, people):
        agent = people.actor(people.staff["vip_agent"])
        with scope.staff():
            subscribe(people.huachen, PlanCode.LITE, at=NOW)
            tickets = [submit(people.huachen, people.actor(people.owner)) for _ in range(10)]

        def reply():
            for ticket in tickets:
                reply_add(ticket_id=ticket.pk, body="好", actor=agent, at=minutes(9))

        def sweep():
            for _ in range(10):
                sweeps.stages_sweep(at=minutes(25))

        self.run(reply, sweep)
        with scope.staff():
            sweeps.stages_sweep(at=minutes(25))
            for clock in Clock.objects.prefetch_related("stages"):
                percents = {stage.percent for stage in clock.stages.all()}
                assert clock.stopped_at == minutes(9)
                assert {50, 80} <= percents
                assert clock.next_stage_at is None
