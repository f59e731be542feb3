"""Every clock can be rebuilt from its log, whatever happened to it; nobody can rewrite the log."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from hypothesis import HealthCheck, given, settings

from core.tenancy import scope
from tests.factories.tickets import minutes, submit
from tests.tickets.histories import HISTORIES, Life, facts
from tickets.clock_log import LogBroken, rebuild
from tickets.models import Clock, ClockEvent
from tickets.selectors.clock_proof import clocks_differing
from tickets.services.merging import ticket_merge
from tickets.services.replies import reply_add


def lived(cast, history, *, sweeping):
    """Live a history in a world of its own; return what its clocks and their logs say in the end."""
    with transaction.atomic():
        Life(cast, sweeping).live(history)
        for clock in Clock.objects.prefetch_related("events"):
            check_instants(clock)
        result = (facts(), clocks_differing().differing)
        transaction.set_rollback(True)
    return result


def check_instants(clock):
    """No clock is ever extended or left less than five minutes; its stages follow each other."""
    started, *later = clock.events.all()
    due = started.due_at
    for event in later:
        if event.kind == "retargeted":
            assert event.created_at + timedelta(minutes=5) <= event.due_at < due
        due = event.due_at
    assert clock.stage_instants == sorted(clock.stage_instants)
    assert clock.stage_instants[clock.stage_percents.index(100)] == clock.due_at == due


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=HISTORIES)
def test_any_history_can_be_rebuilt_and_an_outage_changes_nothing_but_the_notice(
    cast, as_staff, history
):
    with_workers, differing = lived(cast, history, sweeping=True)
    assert differing == {}
    after_an_outage, differing = lived(cast, history, sweeping=False)
    assert differing == {}
    assert after_an_outage == with_workers


def test_a_clock_that_moves_with_a_merged_ticket_can_be_rebuilt(cast, as_staff):
    owner, agent = cast.actor(cast.owner), cast.actor(cast.staff["vip_agent"])
    first = submit(cast.huachen, owner)
    reply_add(ticket_id=first.pk, body="好", actor=agent, at=minutes(1))
    second = submit(cast.huachen, owner, at=minutes(2))
    clock = second.clocks.get()
    ticket_merge(ticket_id=second.pk, into_id=first.pk, actor=agent, at=minutes(3))
    clock.refresh_from_db()
    first.refresh_from_db()
    assert (clock.ticket, clock.instance, clock.stopped_at) == (first, 2, None)
    assert (clock.started_at, clock.due_at, first.due_at) == (minutes(2), minutes(32), minutes(32))
    assert clocks_differing().differing == {}


def test_the_command_tells_what_differs(cast, as_staff):
    ticket = submit(cast.huachen, cast.actor(cast.owner))
    out, err = StringIO(), StringIO()
    call_command("clocks_prove", stdout=out, stderr=err)
    assert (out.getvalue(), err.getvalue()) == ("1 clocks, 0 differ from their log\n", "")
    ticket.clocks.update(due_at=minutes(99), promised=False)
    with pytest.raises(SystemExit, match="1"):
        call_command("clocks_prove", stdout=out, stderr=err)
    clock = ticket.clocks.get()
    promised, due, place = err.getvalue().splitlines()
    assert promised == f"clock {clock.pk}: promised: False, log True"
    assert due.startswith(f"clock {clock.pk}: due_at: ")
    assert place.startswith(f"clock {clock.pk}: the ticket says ")
    assert out.getvalue().endswith("1 clocks, 1 differ from their log\n")


def test_a_log_without_a_start_or_with_a_line_after_the_end_is_broken(cast, as_staff):
    ticket = submit(cast.huachen, cast.actor(cast.owner))
    agent = cast.actor(cast.staff["vip_agent"])
    reply_add(ticket_id=ticket.pk, body="好", actor=agent, at=minutes(1))
    started, stopped = ticket.clocks.get().events.all()
    for lines in ([], [stopped], [started, started], [started, stopped, stopped]):
        with pytest.raises(LogBroken):
            rebuild(lines, [])


@pytest.mark.parametrize("table", ["tickets_clockevent", "tickets_clockstage"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET due_at = now()", "DELETE FROM {}"])
@pytest.mark.parametrize("who", ["staff", "customer"])
def test_the_database_lets_nobody_rewrite_the_log(cast, table, deed, who):
    with scope.staff():
        submit(cast.huachen, cast.actor(cast.owner))
        assert ClockEvent.objects.count() == 1
    chosen = scope.staff() if who == "staff" else scope.customer(cast.huachen.pk)
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        chosen,
        connection.cursor() as cursor,
    ):
        cursor.execute(deed.format(table))
