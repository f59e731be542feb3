"""What a customer's transaction can never do, even with raw SQL; and plans that must not change."""

import threading

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from core import clock, search
from core.tenancy import scope
from tests.cast import make_cast
from tests.factories.tickets import NOW, submit
from tickets.models import Ticket
from tickets.selectors.queue import queue_page
from tickets.selectors.tickets import ticket_list_for
from tickets.services.replies import note_add, reply_add


@pytest.fixture
def ticket(cast):
    with scope.staff():
        ticket = submit(cast.huachen, cast.actor(cast.owner))
        agent = cast.actor(cast.staff["vip_agent"])
        note_add(ticket_id=ticket.pk, body="绝密", actor=agent, at=NOW)
        return ticket


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM tickets_ticketnote",
        "SELECT count(*) FROM tickets_ticketnote",
        "INSERT INTO tickets_ticketnote (tenant_id, ticket_id, body) VALUES (1, 1, 'x')",
        "SELECT * FROM tickets_clockstage",
        "SELECT * FROM tickets_tickettag",
        "SELECT * FROM tickets_tag",
        "SELECT * FROM tickets_availability",
        "SELECT * FROM tickets_incident",
        "SELECT * FROM tickets_incidentticket",
        "SELECT * FROM tickets_ticketchange",
        "UPDATE tickets_requirementstep SET comment = 'x'",
        "DELETE FROM tickets_ticketlink",
        "UPDATE tickets_ticketmessage SET is_staff = true",
        "DELETE FROM tickets_ticketmessage",
        "DELETE FROM tickets_ticket",
        "UPDATE tickets_clockevent SET reason = 'x'",
        "DELETE FROM tickets_ticketevent",
        "UPDATE tickets_attachment SET scan = 'safe'",
        "DELETE FROM tickets_ticketdraft",
    ],
)
def test_a_customers_role_is_refused(cast, ticket, statement):
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        scope.customer(cast.huachen.pk),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("table", ["tickets_ticketmessage", "tickets_clockevent"])
def test_not_even_staff_rewrites_history(ticket, table):
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        scope.staff(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE {table} SET created_at = now()")


def test_a_customer_submits_and_replies_in_its_own_scope_only(cast, ticket):
    owner, other = cast.actor(cast.owner), cast.actor(cast.other_owner)
    with scope.customer(cast.huachen.pk):
        own = submit(cast.huachen, owner, at=clock.now())
        reply_add(ticket_id=own.pk, body="补充", actor=owner, at=clock.now())
    with scope.customer(cast.yunfan.pk):
        assert not ticket_list_for(cast.huachen.pk).exists()
        with pytest.raises(Ticket.DoesNotExist):
            reply_add(ticket_id=ticket.pk, body="x", actor=other, at=clock.now())
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
        scope.customer(cast.yunfan.pk),
    ):
        submit(cast.huachen, other, at=clock.now())


def test_staffs_queue_and_search_use_their_indexes(cast, ticket, django_assert_num_queries):
    with scope.staff():
        card = cast.card("vip_agent")
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
        queue = Ticket.objects.filter(due_at__isnull=False).order_by("queue_rank", "due_at", "id")
        assert "ticket_queue" in queue[:50].explain()
        assert "ticket_search" in Ticket.objects.filter(search=search.TextQuery("无法")).explain()
        with django_assert_num_queries(1):
            queue_page(view="waiting", desk="", staff=card, at=NOW)


class TestSubmittingAtOnce:
    """Two browsers, one form: real threads, real transactions."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_one_key_makes_one_ticket(self, transactional_db):
        call_command("load_catalogue", verbosity=0)
        cast = make_cast(clock.now())
        owner, barrier, numbers = cast.actor(cast.owner), threading.Barrier(4), []

        def go():
            try:
                barrier.wait(10)
                with scope.customer(cast.huachen.pk):
                    made = submit(cast.huachen, owner, at=clock.now(), idempotency_key="same")
                    numbers.append(made.number)
            finally:
                connection.close()

        threads = [threading.Thread(target=go) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(numbers) == 4
        assert len(set(numbers)) == 1
        with scope.staff():
            assert Ticket.objects.get().messages.count() == 1
