"""Two at once at the agents' desk: dealing, merging, replying. Real threads, real transactions."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command

from core import clock
from core.tenancy import scope
from tests.cast import make_cast
from tests.factories.tickets import submit, subscribe
from tests.threads import at_once
from tickets.models import Availability, Clock, Ticket, TicketMessage
from tickets.services import routing
from tickets.services.merging import ticket_merge
from tickets.services.replies import reply_add
from tickets.services.routing import availability_set, tickets_deal

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


@pytest.fixture
def people(transactional_db):
    call_command("load_catalogue", verbosity=0)
    cast = make_cast(clock.now())
    with scope.staff():
        subscribe(cast.huachen, at=clock.now() - timedelta(hours=1))
    return cast


def in_staffs_scope(action):
    def run():
        with scope.staff():
            return action()

    return run


def accept(cast, role, capacity):
    with scope.staff():
        availability_set(
            staff_member_id=cast.card(role).pk,
            is_accepting=True,
            capacity=capacity,
            actor=cast.actor(cast.staff["team_lead"]),
            at=clock.now(),
        )


def submit_and_deal(cast):
    def run():
        with scope.customer(cast.huachen.pk):
            submit(cast.huachen, cast.actor(cast.owner), at=clock.now())
        with scope.staff():
            return tickets_deal(at=clock.now())

    return run


def test_submissions_at_once_never_go_over_the_last_free_place(people):
    accept(people, "vip_agent", capacity=3)
    results = at_once(*[submit_and_deal(people) for _ in range(6)])
    assert [type(result) for result in results] == [int] * 6
    with scope.staff():
        tickets_deal(at=clock.now())
        assert Ticket.objects.filter(assignee=people.card("vip_agent")).count() == 3
        assert Ticket.objects.filter(assignee=None).count() == 3


def test_without_the_lock_they_would(people, monkeypatch):
    accept(people, "vip_agent", capacity=1)
    with scope.staff():
        for _ in range(2):
            submit(people.huachen, people.actor(people.owner), at=clock.now())
    both_have_counted = threading.Barrier(2)
    count = routing._places

    def counted_by_both(rows):
        places = count(rows)
        both_have_counted.wait(timeout=30)
        return places

    unlocked = Availability.objects.select_related("staff_member__user")
    monkeypatch.setattr(routing, "_places", counted_by_both)
    monkeypatch.setattr(routing, "lock_accepting", unlocked.all)
    at_once(*[in_staffs_scope(lambda: tickets_deal(at=clock.now())) for _ in range(2)])
    with scope.staff():
        assert Ticket.objects.filter(assignee=people.card("vip_agent")).count() == 2


def test_a_reply_and_a_merger_at_once_lose_no_word_and_count_no_silence_twice(people):
    owner, lead = people.actor(people.owner), people.actor(people.staff["team_lead"])
    for number in range(ROUNDS):
        with scope.staff():
            source = submit(people.huachen, owner, at=clock.now(), title=f"源{number}")
            target = submit(people.huachen, owner, at=clock.now(), title=f"目标{number}")

        def merge(source=source, target=target):
            with scope.staff():
                return ticket_merge(
                    ticket_id=source.pk, into_id=target.pk, actor=lead, at=clock.now()
                )

        def speak(source=source):
            with scope.customer(people.huachen.pk):
                return reply_add(ticket_id=source.pk, body="并发补充", actor=owner, at=clock.now())

        def answer(target=target):
            with scope.staff():
                return reply_add(ticket_id=target.pk, body="在查", actor=lead, at=clock.now())

        results = at_once(merge, speak, answer)
        assert [type(result) for result in results] == [Ticket] * 3
        with scope.staff():
            both = [source.pk, target.pk]
            said = TicketMessage.objects.filter(ticket__in=both, body="并发补充")
            assert said.count() == 1
            # What stands in the merged ticket is read in the other one; nothing runs in the merged one.
            assert Ticket.objects.get(pk=source.pk).merged_into_id == target.pk
            running = Clock.objects.filter(ticket__in=both, stopped_at=None)
            assert running.count() <= 1
            assert all(row.ticket_id == target.pk for row in running)
            due = Ticket.objects.get(pk=target.pk).due_at
            assert due == (running[0].due_at if running else None)


def test_mergers_at_once_make_no_ring_and_keep_one_clock(people):
    owner, lead = people.actor(people.owner), people.actor(people.staff["team_lead"])
    for _ in range(ROUNDS):
        with scope.staff():
            a, b, c = (submit(people.huachen, owner, at=clock.now()) for _ in range(3))

        def merge(source, target):
            return in_staffs_scope(
                lambda: ticket_merge(
                    ticket_id=source.pk, into_id=target.pk, actor=lead, at=clock.now()
                )
            )

        results = at_once(merge(a, b), merge(b, a), merge(b, c), merge(c, a))
        outcomes = Counter(type(result).__name__ for result in results)
        assert set(outcomes) <= {"Ticket", "MergeRefused"}
        with scope.staff():
            rows = {row.pk: row for row in Ticket.objects.filter(pk__in=[a.pk, b.pk, c.pk])}
            heads = [row for row in rows.values() if row.merged_into_id is None]
            assert len(heads) == 3 - outcomes["Ticket"]
            assert all(
                rows[row.merged_into_id].merged_into_id is None
                for row in rows.values()
                if row.merged_into_id
            )
            running = Clock.objects.filter(ticket__in=rows, stopped_at=None)
            assert {row.ticket_id for row in running} == {row.pk for row in heads}
            assert running.count() == len(heads)
