"""What an open console is told by its poll: news of the queue, of the open ticket, of who looks at what."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth import logout
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse

from core import clock
from core.tenancy import scope
from tests.factories.tickets import submit, subscribe
from tickets import polls, presence
from tickets.presence import Mode, Place
from tickets.services.replies import reply_add

LIVE = "tickets:console_live"


@pytest.fixture
def ticket(cast):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
        return submit(cast.huachen, cast.actor(cast.owner), at=clock.now())


class Console:
    """An open console: it polls with what the last answers told it."""

    def __init__(self, client, tab="a", ticket=None, **place):
        self.client, self.mode = client, "reading"
        name, args = ("console_ticket", [ticket.number]) if ticket else ("console", [])
        page = client.get(reverse(f"tickets:{name}", args=args))
        self.shown = {
            "view": page.context.get("view", "waiting"),
            "desk": page.context.get("desk", "vip"),
            "after": "",
            "tab": tab,
            "queue": page.context["queue_version"],
            "presence": "",
            **place,
        }
        if ticket:
            self.shown |= {
                "ticket": ticket.number,
                "open": ticket.pk,
                "seen": page.context["ticket_version"],
            }

    def poll(self, mode="reading"):
        """Return what is new, None for nothing."""
        answer = self.client.get(reverse(LIVE), {**self.shown, "mode": mode})
        if answer.status_code == 204:
            return None
        assert answer.status_code == 200
        news = answer.json()
        for told, shown in (
            ("queueVersion", "queue"),
            ("ticketVersion", "seen"),
            ("presenceVersion", "presence"),
        ):
            if told in news:
                self.shown[shown] = news[told]
        return news


@pytest.fixture
def console(cast, client_for):
    def open_console(role="vip_agent", **options):
        return Console(client_for(cast.staff[role]), **options)

    return open_console


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    def run(do):
        with scope.staff(), django_capture_on_commit_callbacks(execute=True):
            return do()

    return run


def test_a_new_ticket_reaches_an_open_console_by_the_next_poll(cast, console, ticket, committed):
    agent = console()
    agent.poll()
    assert agent.poll() is None
    owner = cast.actor(cast.owner)
    committed(lambda: submit(cast.huachen, owner, at=clock.now(), title="刚刚提交"))
    news = agent.poll()
    assert "刚刚提交" in news["queue"]
    assert "thread" not in news
    assert agent.poll() is None


def test_the_open_conversation_comes_with_the_poll(cast, console, ticket, committed):
    agent = console(ticket=ticket)
    agent.poll()
    assert agent.poll() is None
    owner = cast.actor(cast.owner)
    committed(
        lambda: reply_add(ticket_id=ticket.pk, body="又坏了两台", actor=owner, at=clock.now())
    )
    news = agent.poll()
    assert "又坏了两台" in news["thread"]
    assert news["ticket"] == ticket.number
    assert "id_body" not in news["thread"] + news["head"]  # the composer is never replaced
    assert agent.poll() is None


def test_an_idle_poll_asks_the_database_nothing(console, ticket, max_queries):
    agent = console(ticket=ticket)
    agent.poll()
    with max_queries(0):
        assert agent.poll() is None


def test_the_queue_is_rendered_once_for_all_who_see_the_same(
    cast, console, ticket, committed, max_queries
):
    first, second, elsewhere = console(), console("engineer"), console("customer_service")
    second.shown |= {"desk": "vip"}
    for agent in (first, second, elsewhere):
        agent.poll()
    owner = cast.actor(cast.owner)
    committed(lambda: submit(cast.huachen, owner, at=clock.now(), title="刚刚提交"))
    news = first.poll()
    with max_queries(0):
        assert second.poll()["queue"] == news["queue"]
    # The other desk has a queue of its own.
    assert "刚刚提交" not in elsewhere.poll()["queue"]


def test_the_number_of_ones_own_tickets_is_each_persons(
    cast, client_for, console, ticket, committed
):
    first, second = console(), console("engineer", desk="vip")
    for agent in (first, second):
        agent.poll()
    take = reverse("tickets:console_take", args=[ticket.number])
    committed(lambda: first.client.post(take))
    assert first.poll()["mine"] == "1"
    assert second.poll()["mine"] == "0"


def test_a_desk_that_is_not_theirs_is_not_shown_by_the_cache_either(
    cast, console, ticket, committed
):
    vip, standard = console(), console("customer_service")
    for agent in (vip, standard):
        agent.poll()
    standard.shown["desk"] = "vip"
    owner = cast.actor(cast.owner)
    committed(lambda: submit(cast.huachen, owner, at=clock.now(), title="只给 VIP 专席"))
    assert "只给 VIP 专席" in vip.poll()["queue"]
    assert "只给 VIP 专席" not in standard.poll()["queue"]


def test_who_signs_out_is_told_nothing_more(console, ticket):
    agent = console(ticket=ticket)
    agent.poll()
    request = HttpRequest()
    request.session = agent.client.session
    logout(request)
    answer = agent.client.get(reverse(LIVE), agent.shown, headers={"HX-Request": "true"})
    assert "/accounts/login/" in answer.headers["HX-Redirect"]


@pytest.mark.parametrize("change", ["role", "card", "person"])
def test_a_withdrawn_right_ends_the_polls_with_the_pass(cast, console, ticket, change):
    agent = console(ticket=ticket)
    agent.poll()
    with scope.staff():
        card = cast.card("vip_agent")
        match change:
            case "role":
                card.roles = ["finance"]
                card.save()
            case "card":
                card.is_active = False
                card.save()
            case "person":
                card.user.is_active = False
                card.user.save()
    key = cache.make_key(f"console-pass:{agent.client.session.session_key}")
    assert 0 < polls.live.store().ttl(key) <= polls.PASS_SECONDS
    polls.live.store().delete(key)
    assert agent.client.get(reverse(LIVE), agent.shown).status_code in {302, 403, 404}


def test_a_customer_learns_nothing_from_the_cache(cast, client_for, console, ticket):
    console(ticket=ticket).poll()
    shown = {
        "view": "waiting",
        "desk": "vip",
        "tab": "x",
        "ticket": ticket.number,
        "open": ticket.pk,
    }
    assert client_for(cast.owner).get(reverse(LIVE), shown).status_code == 404


@pytest.mark.parametrize(
    "odd",
    [
        {"open": "9" * 30},
        {"open": "-1"},
        {"mode": "x"},
        {"seen": "a"},
        {"tab": "x" * 99},
        {"view": "x"},
        {"desk": "x"},
    ],
)
def test_what_cannot_be_read_is_answered_all_the_same(console, ticket, odd):
    agent = console(ticket=ticket)
    agent.poll()
    assert agent.client.get(reverse(LIVE), {**agent.shown, **odd}).status_code in {200, 204}


def test_colleagues_at_a_ticket_are_seen_with_what_they_do_and_oneself_is_not(console, ticket):
    me, other = console(ticket=ticket), console("engineer", ticket=ticket)
    assert other.poll()["viewers"] == {}
    assert me.poll(mode="writing")["viewers"] == {str(ticket.pk): [["工程师", "reading"]]}
    assert other.poll()["viewers"] == {str(ticket.pk): [["VIP 专席", "writing"]]}
    assert other.poll() is None
    me.poll(mode="away")
    assert other.poll()["viewers"] == {str(ticket.pk): [["VIP 专席", "away"]]}


def test_of_several_tabs_the_strongest_counts(console, ticket):
    other = console("engineer", ticket=ticket)
    first, second = console(ticket=ticket, tab="a"), console(ticket=ticket, tab="b")
    first.poll(mode="writing")
    second.poll(mode="away")
    assert other.poll()["viewers"] == {str(ticket.pk): [["VIP 专席", "writing"]]}


def test_a_closed_tab_is_gone_at_once_a_crashed_one_when_its_time_is_over(
    console, ticket, monkeypatch
):
    me, other = console(ticket=ticket), console("engineer", ticket=ticket)
    me.poll()
    assert other.poll()["viewers"] != {}
    assert me.client.post(reverse("tickets:console_leave"), {"tab": "a"}).status_code == 204
    assert other.poll()["viewers"] == {}
    monkeypatch.setattr(presence, "SECONDS", 0.001)
    me.poll()
    time.sleep(0.05)  # the place's end, a thousandth of a second away, is surely over
    monkeypatch.setattr(presence, "SECONDS", 6)
    # The next poll of anybody finds the end passed and takes the place off the list.
    other.poll()
    assert presence.viewers(0).keys() == {ticket.pk}
    assert [name for name, _ in presence.viewers(0)[ticket.pk]] == ["工程师"]


def test_presence_takes_one_round_trip_however_many_look(cast, monkeypatch):
    calls = []
    execute = presence.live.store().connection_pool.connection_class.send_packed_command
    monkeypatch.setattr(
        presence.live.store().connection_pool.connection_class,
        "send_packed_command",
        lambda self, *a, **k: calls.append(1) or execute(self, *a, **k),
    )
    for number in range(50):
        presence.beat(Place("t", number + 1, Mode.READING), who=presence.teller(number + 1, "某人"))
    calls.clear()
    presence.beat(Place("t", 1), who=presence.teller(1, "某人"), keys=["x", "y"])
    assert len(calls) == 1
    calls.clear()
    assert len(presence.viewers(1)) == 49
    assert len(calls) == 1


def test_a_name_cannot_forge_a_place():
    presence.beat(Place("t", 7), who=presence.teller(3, "甲\x1f9\x1f乙"))
    assert presence.viewers(0) == {7: [("甲 9 乙", "reading")]}
