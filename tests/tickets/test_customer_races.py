"""Two at once on one ticket, with real threads and real transactions: the ticket's lock decides who is first."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from core import clock
from core.tenancy import scope
from tests.billing.test_races import at_once, names
from tests.factories.tickets import submit
from tickets.models import Clock, Ticket, TicketEvent, TicketMessage
from tickets.services import urges
from tickets.services.recalls import message_recall
from tickets.services.replies import reply_add
from tickets.services.tickets import ticket_confirm
from tickets.services.urges import ticket_urge
from tickets.services.watchers import watcher_add

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ticket(cast):
    with scope.staff():
        return submit(cast.huachen, cast.actor(cast.owner), at=clock.now() - timedelta(minutes=40))


def of_customer(cast, action, **words):
    def run():
        with scope.customer(cast.huachen.pk):
            return action(actor=cast.actor(cast.owner), at=clock.now(), **words)

    return run


def of_staff(cast, action, **words):
    actor = cast.actor(cast.staff["customer_service"])

    def run():
        with scope.staff():
            return action(actor=actor, at=clock.now(), **words)

    return run


def urge(cast, ticket):
    return of_customer(cast, ticket_urge, ticket_id=ticket.pk)


def test_without_the_lock_two_urges_count_as_one_period_twice(cast, ticket, monkeypatch):
    both_have_read = threading.Barrier(2)

    def unlocked(ticket_id):
        row = Ticket.objects.get(pk=ticket_id)
        both_have_read.wait(timeout=10)
        return row

    monkeypatch.setattr(urges, "lock_ticket_in_force", unlocked)
    assert names(at_once(urge(cast, ticket), urge(cast, ticket))) == ["Ticket", "Ticket"]
    with scope.staff():
        assert TicketEvent.objects.filter(kind="urged").count() == 2


def test_of_two_urges_at_once_one_is_told_when_the_next_is_possible(cast, ticket):
    results = at_once(*[urge(cast, ticket) for _ in range(3)])
    assert names(results) == ["Ticket", "UrgeTooEarly", "UrgeTooEarly"]
    with scope.staff():
        assert TicketEvent.objects.filter(kind="urged").count() == 1


def test_a_recall_and_staffs_reply_leave_one_clock_stopped_once(cast, ticket):
    with scope.staff():
        agent = cast.actor(cast.staff["customer_service"])
        reply_add(
            ticket_id=ticket.pk, body="在查", actor=agent, at=clock.now() - timedelta(minutes=30)
        )
    with scope.customer(cast.huachen.pk):
        reply_add(ticket_id=ticket.pk, body="口令", actor=cast.actor(cast.owner), at=clock.now())
        message = TicketMessage.objects.latest("pk")
    results = at_once(
        of_customer(cast, message_recall, ticket_id=ticket.pk, message_id=message.pk),
        of_staff(cast, reply_add, ticket_id=ticket.pk, body="请稍候"),
    )
    assert names(results) == ["Ticket", "Ticket"]
    with scope.staff():
        second = Clock.objects.get(kind="next")
        assert second.stopped_at is not None
        assert second.outcome in {"answered", "withdrawn"}
        assert second.events.filter(kind="stopped").count() == 1
        assert Ticket.objects.get().due_at is None
        assert TicketMessage.objects.get(pk=message.pk).body == ""


def test_two_recalls_are_one(cast, ticket):
    with scope.customer(cast.huachen.pk):
        reply_add(ticket_id=ticket.pk, body="口令", actor=cast.actor(cast.owner), at=clock.now())
        message = TicketMessage.objects.latest("pk")
    recall = of_customer(cast, message_recall, ticket_id=ticket.pk, message_id=message.pk)
    assert names(at_once(recall, recall)) == ["Ticket", "Ticket"]
    with scope.staff():
        assert TicketEvent.objects.filter(kind="recalled").count() == 1


def test_a_confirmation_and_staffs_reply_never_leave_a_closed_ticket_with_a_clock(cast, ticket):
    results = at_once(
        of_customer(cast, ticket_confirm, ticket_id=ticket.pk),
        of_staff(cast, reply_add, ticket_id=ticket.pk, body="已处理"),
    )
    assert names(results) in [["Ticket", "Ticket"], ["Ticket", "TicketMoveRefused"]]
    with scope.staff():
        fresh = Ticket.objects.get()
        assert (fresh.state, fresh.due_at) == ("closed", None)
        assert not Clock.objects.filter(stopped_at=None).exists()


def test_a_watcher_added_twice_at_once_is_one(cast, ticket):
    add = of_customer(cast, watcher_add, ticket_id=ticket.pk, user_id=cast.member.pk)
    assert names(at_once(add, add)) == ["Ticket", "Ticket"]
    with scope.staff():
        assert TicketEvent.objects.filter(kind="watcher_added").count() == 1
