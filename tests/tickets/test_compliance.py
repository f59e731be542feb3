"""Which promises count as kept and missed, at the edges, and that SQL and ORM agree."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.clock import SHANGHAI
from supportplans.states import Basis, PlanCode, Severity
from tests.factories.tickets import submit, subscribe
from tickets.models import Clock
from tickets.selectors.compliance import (
    Compliance,
    compliance_of,
    compliance_table,
    percentage,
)
from tickets.selectors.statistics import backlog, load_per_agent, ratings_between, response_times
from tickets.services.assignment import ticket_take
from tickets.services.ratings import ticket_rate
from tickets.services.replies import reply_add
from tickets.services.tickets import ticket_confirm, ticket_resolve

pytestmark = pytest.mark.django_db
OCTOBER = datetime(2026, 10, 1, tzinfo=SHANGHAI)
NOVEMBER = datetime(2026, 11, 1, tzinfo=SHANGHAI)
DECEMBER = datetime(2026, 12, 1, tzinfo=SHANGHAI)
NOON = datetime(2026, 11, 10, 12, 0, tzinfo=SHANGHAI)


@pytest.fixture
def desk(cast, as_staff):
    """Return how to submit a ticket as 华辰科技, whose target for urgent ones is ten minutes, and to answer it."""

    class Desk:
        owner = cast.actor(cast.owner)
        agent = cast.actor(cast.staff["vip_agent"])

        def submit(self, at, **changes):
            return submit(cast.huachen, self.owner, at=at, **changes)

        def answer(self, ticket, at):
            reply_add(ticket_id=ticket.pk, body="好", actor=self.agent, at=at)

    subscribe(cast.huachen, at=OCTOBER)
    return Desk()


def both(start=NOVEMBER, end=DECEMBER, *, until=DECEMBER, **narrowed):
    """Return the table, and check that the other way of counting gives the same total."""
    table = compliance_table(start, end, until=until, **narrowed)
    if not narrowed:
        clocks = Clock.objects.filter(started_at__gte=start, started_at__lt=end)
        assert compliance_of(clocks, until=until) == table.total
    return table


def after(minutes, at=NOON):
    return at + timedelta(minutes=minutes)


def test_the_due_instant_decides(desk):
    desk.answer(desk.submit(NOON), after(10))
    assert both().total == Compliance(kept=1)
    desk.answer(desk.submit(NOON), after(10) + timedelta(microseconds=1))
    assert both().total == Compliance(kept=1, missed=1)


def test_what_still_runs_is_missed_once_it_is_late(desk):
    desk.submit(NOON)
    assert both(until=after(10)).total == Compliance()
    assert both(until=after(11)).total == Compliance(missed=1)


def test_what_the_customer_ended_in_time_counts_nowhere(desk):
    ticket_confirm(ticket_id=desk.submit(NOON).pk, actor=desk.owner, at=after(9))
    assert both().total == Compliance()
    ticket_confirm(ticket_id=desk.submit(NOON).pk, actor=desk.owner, at=after(11))
    assert both().total == Compliance(missed=1)


def test_trials_are_no_promise(cast, as_staff):
    subscribe(cast.huachen, PlanCode.ENTERPRISE, Basis.TRIAL, at=OCTOBER)
    submit(cast.huachen, cast.actor(cast.owner), at=NOON)
    assert both().total == Compliance()


def test_months_begin_at_midnight_in_shanghai(desk):
    last, first = NOVEMBER - timedelta(microseconds=1), NOVEMBER
    desk.answer(desk.submit(last), after(2, last))
    desk.answer(desk.submit(first), after(20, first))
    table = both(OCTOBER, DECEMBER)
    assert table.by_month == {"2026-10": Compliance(kept=1), "2026-11": Compliance(missed=1)}
    assert both(NOVEMBER, DECEMBER).total == Compliance(missed=1)


def test_by_plan_severity_and_agent(cast, desk):
    desk.answer(desk.submit(NOON), after(3))
    desk.answer(desk.submit(NOON, severity=Severity.GENERAL), after(31))
    submit(cast.yunfan, cast.actor(cast.other_owner), at=NOON)  # nobody answers
    table = both()
    assert table.by_plan == {
        "enterprise": Compliance(kept=1, missed=1),
        "standard": Compliance(missed=1),
    }
    assert table.by_severity == {
        "urgent": Compliance(kept=1, missed=1),
        "general": Compliance(missed=1),
    }
    agent = cast.card("vip_agent").pk
    assert table.by_agent == {agent: Compliance(kept=1, missed=1), None: Compliance(missed=1)}
    assert both(plan="enterprise").total == Compliance(kept=1, missed=1)
    assert both(plan="enterprise", severity="general").total == Compliance(missed=1)
    assert both(kind="next").total == Compliance()


def test_a_table_of_nothing(desk):
    assert both().total == Compliance()
    assert both().by_plan == both().by_agent == {}


def test_a_share_is_cut_off_never_rounded_up_to_all():
    assert percentage(0, 0) is None
    assert percentage(2, 3) == Decimal("66.6")
    assert percentage(9999, 10_000) == Decimal("99.9")
    assert percentage(5, 5) == Decimal(100)


def test_response_times(desk):
    for minutes in (0.5, 1, 4, 7, 90):
        desk.answer(desk.submit(NOON), after(minutes))
    desk.submit(NOON)
    times = response_times(NOVEMBER, DECEMBER)
    assert (times.answered, times.p50_seconds, times.p90_seconds) == (5, 240, 5400)
    assert times.bars == (1, 1, 1, 1, 0, 0, 0, 1)
    nothing = response_times(OCTOBER, NOVEMBER)
    assert (nothing.answered, nothing.p50_seconds, sum(nothing.bars)) == (0, None, 0)


def test_the_backlog_counts_what_was_open_then(desk):
    early, late = desk.submit(NOON), desk.submit(after(20))
    desk.answer(early, after(5))
    ticket_resolve(ticket_id=early.pk, actor=desk.agent, at=after(10))
    points = [after(-1), after(1), after(15), after(30)]
    assert backlog(points) == [0, 1, 0, 1]
    ticket_confirm(ticket_id=late.pk, actor=desk.owner, at=after(40))
    assert backlog(points) == [0, 1, 0, 1]
    assert backlog([after(50)]) == [0]


def test_the_load_of_an_agent(cast, desk):
    first, second = desk.submit(NOON), desk.submit(after(5))
    for ticket in (first, second):
        ticket_take(ticket_id=ticket.pk, actor=desk.agent, at=after(6))
    desk.answer(first, after(7))
    (load,) = load_per_agent()
    assert (load.staff_id, load.open, load.waiting) == (cast.card("vip_agent").pk, 2, 1)
    assert (load.oldest, load.next_due) == (NOON, after(15))


def test_ratings(desk):
    for score in (5, 4, 4):
        ticket = desk.submit(NOON)
        ticket_confirm(ticket_id=ticket.pk, actor=desk.owner, at=after(5))
        ticket_rate(ticket_id=ticket.pk, score=score, comment="", actor=desk.owner, at=after(6))
    ratings = ratings_between(NOVEMBER, DECEMBER)
    assert ratings.counts == {5: 1, 4: 2, 3: 0, 2: 0, 1: 0}
    assert (ratings.total, ratings.mean) == (3, Decimal("4.3"))
    assert ratings_between(OCTOBER, NOVEMBER).mean is None
