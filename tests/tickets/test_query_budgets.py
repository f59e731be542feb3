"""How often the queue, a ticket, a reply and a submission ask the database, and that the queue's cost has no table in it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from core import clock
from core.tenancy import scope
from supportplans.models import ProductLine
from tests.factories.tickets import submit, subscribe
from tests.queries import counted_queries
from tickets.models import Ticket
from tickets.queue_rows import rows_html
from tickets.selectors import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(cast):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
        return submit(cast.huachen, cast.actor(cast.owner), at=clock.now())


def test_the_queue_takes_eight_queries_at_most(cast, client_for, ticket, max_queries):
    agent = client_for(cast.staff["vip_agent"])
    agent.get(reverse("tickets:console"))
    with max_queries(8):
        assert agent.get(reverse("tickets:console")).status_code == 200


def test_a_ticket_takes_twelve_queries_at_most(cast, client_for, ticket, max_queries):
    agent = client_for(cast.staff["vip_agent"])
    path = reverse("tickets:console_ticket", args=[ticket.number])
    agent.get(path)
    with max_queries(12):
        assert agent.get(path).status_code == 200


def test_a_reply_takes_fourteen_queries_at_most(cast, client_for, ticket, max_queries):
    agent = client_for(cast.staff["vip_agent"])
    agent.get(reverse("tickets:console"))
    path = reverse("tickets:console_reply", args=[ticket.number])
    with max_queries(14):
        agent.post(path, {"body": "您好，正在排查。", "action": "send", "key": "once"})
    with scope.staff():
        assert Ticket.objects.get().first_response_at is not None


def test_a_submission_takes_fifteen_queries_at_most(cast, client_for, max_queries):
    owner = client_for(cast.owner)
    line = ProductLine.objects.order_by("position").first()
    owner.get(reverse("tickets:ticket_list"))
    form = {
        "effect": "impaired",
        "kind": "technical",
        "product_line": line.pk,
        "title": "云主机响应缓慢",
        "body": "今天上午开始出现。",
        "key": "once",
    }
    with max_queries(15):
        answer = owner.post(reverse("tickets:ticket_new"), form)
    assert answer.status_code == 302
    with scope.staff():
        assert Ticket.objects.get().due_at is not None


@pytest.mark.parametrize("view", ["waiting", "mine", "work", "done"])
def test_the_queue_neither_skips_nor_counts_rows(cast, client_for, ticket, view):
    agent = client_for(cast.staff["vip_agent"])
    with counted_queries() as queries:
        agent.get(reverse("tickets:console"), {"view": view})
    for sql in queries:
        assert "OFFSET" not in sql.upper()
        # What is counted stops at one more than is shown.
        counted = re.findall(r"count\(\*\) FROM \((.*?)\) AS", sql, re.IGNORECASE | re.DOTALL)
        assert len(counted) == len(re.findall(r"count\(", sql, re.IGNORECASE))
        assert all("LIMIT 100" in part for part in counted)


def test_a_row_says_what_is_left_and_is_rendered_once(cast, ticket):
    shown = {"here": "view=waiting", "open_pk": None}
    with scope.staff():
        staff, at = cast.card("vip_agent"), ticket.created_at + timedelta(minutes=2)
        asked = {"view": "waiting", "desk": "vip", "staff": staff}
        now, later = (
            rows_html(queue.queue_page(**asked, at=moment).rows, **shown)
            for moment in (at, at + timedelta(seconds=5))
        )
    assert "<span data-left>08:00</span>" in now
    assert 'value="120" max="600"' in now
    assert "<span data-left>07:55</span>" in later
    assert now.replace("08:00", "07:55").replace('value="120"', 'value="125"') == later


def test_what_a_customer_types_into_a_title_stays_a_text(cast):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
        owner = cast.actor(cast.owner)
        ticket = submit(cast.huachen, owner, at=clock.now(), title="<b>\ue000\ue001</b>")
        rows = queue.queue_page(
            view="waiting", desk="vip", staff=cast.card("vip_agent"), at=ticket.created_at
        ).rows
        html = rows_html(rows, here="", open_pk=ticket.pk)
    assert "&lt;b&gt;\ue000\ue001&lt;/b&gt;" in html
    assert 'value="0" max="600"' in html
    assert 'aria-current="true"' in html
