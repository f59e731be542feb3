"""Workers may all be dead: the web processes notice it, and what was due stays as it was due (domain.md §5)."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core import clock as core_clock
from core.tenancy import scope
from messaging import live
from messaging.models import Delivery, Message
from supportplans.states import PlanCode
from tests.factories.tickets import NOW, minutes, submit, subscribe
from tickets.live import CONSOLE
from tickets.models import Clock, ClockStage, SweepOutage
from tickets.selectors.figures import monthly_figures
from tickets.services import outages, sweeps
from tickets.services.replies import reply_add
from tickets.watch import Watch


@pytest.fixture
def at(monkeypatch):
    """Let the watch look at an instant of the test's choice."""

    def look(watch, instant):
        monkeypatch.setattr("tickets.watch.clock.now", lambda: instant)
        watch.look()

    return look


@pytest.fixture
def late(cast, db):
    """A ticket whose first stage was due at minute five, and no worker."""
    with scope.staff():
        subscribe(cast.huachen, at=NOW)
        return submit(cast.huachen, cast.actor(cast.owner))


def test_the_web_process_notices_late_timers_once_and_their_end(late, at):
    one, other = Watch(), Watch()
    for watch in (one, other):
        at(watch, minutes(5.5))
    with scope.staff():
        assert not SweepOutage.objects.exists()  # thirty seconds are the limit
    for seconds in (31, 36, 41, 46):
        for watch in (one, other):
            at(watch, minutes(5) + timedelta(seconds=seconds))
    with scope.staff():
        outage = SweepOutage.objects.get()
        assert (outage.began_at, outage.noticed_at) == (
            minutes(5),
            minutes(5) + timedelta(seconds=36),
        )
        assert (outage.worst_seconds, outage.ended_at) == (46, None)
        assert Message.objects.filter(kind="tickets.timers_late").count() == 1
        sweeps.stages_sweep(at=minutes(6))
    for watch in (one, other):
        at(watch, minutes(6.1))
    with scope.staff():
        outage.refresh_from_db()
        assert outage.ended_at == minutes(6.1)
        # Another outage is another row, and another alert.
    for seconds in (40, 45):
        at(one, minutes(8) + timedelta(seconds=seconds))
    with scope.staff():
        assert SweepOutage.objects.count() == 2
        assert Message.objects.filter(kind="tickets.timers_late").count() == 2


def test_the_operators_alert_needs_no_worker(late, at, cast, client_for):
    watch = Watch()
    at(watch, minutes(6))
    at(watch, minutes(6.1))
    with scope.staff():
        delivery = Delivery.objects.get(message__kind="tickets.timers_late")
        assert (delivery.recipient, delivery.channel) == (cast.staff["operator"], "inbox")
        assert delivery.subject == "工单计时延迟 66 秒，请检查后台任务"
    operator = client_for(cast.staff["operator"])
    page = operator.get(reverse("tickets:timers_panel")).content.decode()
    assert "2026-11-23 10:07:11 起，最长延迟 66 秒" in page
    assert "尚未恢复" in page


def test_a_clock_that_jumps_once_is_no_outage(late, at):
    watch = Watch()
    at(watch, minutes(60))
    with scope.staff():
        sweeps.stages_sweep(at=minutes(60))
    at(watch, minutes(60.1))
    with scope.staff():
        assert not SweepOutage.objects.exists()


def test_open_consoles_are_told(late, at, django_capture_on_commit_callbacks):
    before = live.version(CONSOLE)
    watch = Watch()
    with django_capture_on_commit_callbacks(execute=True):
        at(watch, minutes(6))
        at(watch, minutes(6.1))
    assert live.version(CONSOLE) == before + 1


def test_a_second_process_that_notices_at_the_same_moment_stays_silent(late, monkeypatch):
    with scope.staff():
        assert outages.outage_note(lag_seconds=40, at=minutes(6))
        # It looked before the first one wrote.
        monkeypatch.setattr(
            "tickets.services.outages.SweepOutage.objects.filter",
            lambda **_: SweepOutage.objects.none(),
        )
        assert not outages.outage_note(lag_seconds=40, at=minutes(6))
        assert Message.objects.filter(kind="tickets.timers_late").count() == 1


def test_staff_sees_a_banner_and_monitoring_a_status(cast, client, client_for):
    now = core_clock.now()
    with scope.staff():
        subscribe(cast.huachen, PlanCode.LITE, at=now - timedelta(hours=1))
        submit(cast.huachen, cast.actor(cast.owner), at=now - timedelta(minutes=6))
    health = reverse("tickets:timers_health")
    answer = client.get(health)
    assert (answer.status_code, answer.json()["status"]) == (503, "late")
    assert 60 <= answer.json()["lag_seconds"] < 120
    console = client_for(cast.staff["vip_agent"])
    assert "计时任务延迟" in console.get(reverse("tickets:console")).content.decode()
    with scope.staff():
        sweeps.stages_sweep(at=timezone.now())
    assert client.get(health).json() == {"status": "ok", "lag_seconds": 0.0}
    assert "计时任务延迟" not in console.get(reverse("tickets:console")).content.decode()


def test_the_watch_outlives_a_look_that_fails(caplog, monkeypatch):
    looks = []

    def look(self):
        looks.append(1)
        if len(looks) < 3:
            raise RuntimeError("no database")
        raise SystemExit

    monkeypatch.setattr(Watch, "look", look)
    monkeypatch.setattr("tickets.watch.LOOK_SECONDS", 0.01)
    monkeypatch.setattr("tickets.watch.close_old_connections", lambda: None)
    monkeypatch.setattr("tickets.watch.connection.close", lambda: None)
    with pytest.raises(SystemExit):
        Watch().run()
    assert len(looks) == 3
    assert [record.message for record in caplog.records] == [
        "the timers could not be looked at"
    ] * 2


def live_through(cast, *, dead_from, dead_until):
    """Thirty tickets of which some are answered late; workers sweep every five seconds but while they are dead."""
    owner, agent = cast.actor(cast.owner), cast.actor(cast.staff["vip_agent"])
    subscribe(cast.huachen, at=NOW - timedelta(days=1))
    tickets = {submit(cast.huachen, owner, at=minutes(n)).pk: n for n in range(12)}
    answers = {pk: minutes(n + (9 if n % 3 else 12) + n / 7) for pk, n in tickets.items() if n % 4}
    for second in range(0, 50 * 60, 5):
        now = NOW + timedelta(seconds=second)
        for pk in [pk for pk, due in answers.items() if due <= now]:
            reply_add(ticket_id=pk, body="好", actor=agent, at=answers.pop(pk))
        if not dead_from <= now < dead_until:
            sweeps.stages_sweep(at=now)
    month = core_clock.local(NOW).replace(day=1, hour=0, minute=0, second=0)
    figures = monthly_figures(
        cast.huachen.pk, month, month.replace(month=12), at=month.replace(month=12)
    )
    order = {
        pk: index
        for index, pk in enumerate(Clock.objects.order_by("id").values_list("pk", flat=True))
    }
    rows = ClockStage.objects.order_by("clock_id", "percent")
    stages = {(order[row.clock_id], row.percent): (row.due_at, row.noticed_at) for row in rows}
    told = Message.objects.filter(kind="tickets.stage_passed").values_list("key", flat=True)
    kept = figures.compliance
    return stages, (kept.promised, kept.kept, kept.share), list(told)


def test_twenty_minutes_without_workers_change_nothing_but_when_it_was_noticed(cast, as_staff):
    from django.db import transaction

    worlds = []
    for dead_until in (NOW, minutes(26)):
        with transaction.atomic():
            worlds.append(live_through(cast, dead_from=minutes(6), dead_until=dead_until))
            transaction.set_rollback(True)
    (stages, figures, told), (after, figures_after, told_after) = worlds
    assert {key: due for key, (due, _) in after.items()} == {
        key: due for key, (due, _) in stages.items()
    }
    assert figures_after == figures
    assert figures[0] > figures[1] > 0
    five = timedelta(seconds=5)
    assert all(timedelta(0) < noticed - due <= five for due, noticed in stages.values())
    caught_up = [(due, noticed) for due, noticed in after.values() if noticed - due > five]
    assert caught_up
    assert {noticed for _, noticed in caught_up} == {minutes(26)}
    # One message per clock names the highest of what was missed, so there are fewer; none is told twice.
    assert len(set(told_after)) == len(told_after) < len(told)
