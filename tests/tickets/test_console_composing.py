"""What an agent types is kept, and nobody answers past another (screens.md, agent console)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from core import clock
from core.tenancy import scope
from tests.factories.tickets import submit, subscribe
from tickets.models import AgentDraft, Ticket
from tickets.services.assignment import ticket_assign
from tickets.services.replies import reply_add


@pytest.fixture
def ticket(cast):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
        return submit(cast.huachen, cast.actor(cast.owner), at=clock.now())


@pytest.fixture
def agent(cast, client_for):
    return client_for(cast.staff["vip_agent"])


@pytest.fixture
def save(ticket):
    path = reverse("tickets:console_draft", args=[ticket.number])

    def send(client, body, *, kind="reply", base=0, device="a", seen=1):
        sent = {"kind": kind, "body": body, "base": base, "device": device, "seen": seen}
        return client.post(path, sent)

    return send


def bodies():
    with scope.staff():
        return {(d.staff_member.display_name, d.kind): d.body for d in AgentDraft.objects.all()}


def page(client, ticket):
    return client.get(reverse("tickets:console_ticket", args=[ticket.number]))


def send(client, ticket, body, *, seen=None, action="send", key="k"):
    fields = {"body": body, "action": action, "key": key}
    return client.post(
        reverse("tickets:console_reply", args=[ticket.number]),
        fields if seen is None else {**fields, "seen": seen},
        headers={"HX-Request": "true"},
    )


def test_reply_and_note_have_a_draft_each_per_person(cast, client_for, agent, ticket, save):
    other = client_for(cast.staff["engineer"])
    assert save(agent, "正在查").json() == {"version": 1}
    assert save(agent, "疑似端口", kind="note").json() == {"version": 1}
    assert save(other, "我也在看").json() == {"version": 1}
    assert bodies() == {
        ("VIP 专席", "reply"): "正在查",
        ("VIP 专席", "note"): "疑似端口",
        ("工程师", "reply"): "我也在看",
    }
    shown = page(agent, ticket).content.decode()
    assert "正在查</textarea>" in shown
    assert "疑似端口</textarea>" in shown
    assert "我也在看" not in shown


def test_a_draft_survives_a_new_owner_and_a_new_state(cast, agent, ticket, save):
    save(agent, "正在查")
    with scope.staff():
        engineer = cast.card("engineer")
        actor = cast.actor(cast.staff["team_lead"])
        at = clock.now()
        ticket_assign(ticket_id=ticket.pk, staff_member_id=engineer.pk, actor=actor, at=at)
        reply_add(ticket_id=ticket.pk, body="请补充", actor=actor, at=at, wait=True)
    assert "正在查</textarea>" in page(agent, ticket).content.decode()


def test_what_another_device_saved_is_not_overwritten_unasked(agent, ticket, save):
    save(agent, "手机上写的", device="phone")
    answer = save(agent, "电脑上写的", device="desk")
    assert answer.status_code == 409
    assert (answer.json()["body"], answer.json()["version"]) == ("手机上写的", 1)
    assert bodies() == {("VIP 专席", "reply"): "手机上写的"}
    # Whoever has seen it goes on from it; then it is the other device that hears of it.
    assert save(agent, "电脑上写的", device="desk", base=1).json() == {"version": 2}
    assert save(agent, "手机上又写", device="phone", base=1).status_code == 409
    path = reverse("tickets:console_draft", args=[ticket.number])
    assert agent.get(path).json()["reply"]["body"] == "电脑上写的"


def test_an_emptied_draft_is_gone_and_one_that_was_sent_does_not_come_back(agent, ticket, save):
    save(agent, "正在查")
    assert save(agent, " ", base=1).json() == {"version": 0}
    assert bodies() == {}
    save(agent, "您好")
    save(agent, "备注", kind="note")
    send(agent, ticket, "您好")
    assert bodies() == {("VIP 专席", "note"): "备注"}
    # A save that was on its way when the reply was sent.
    assert save(agent, "您好", base=1).status_code == 409
    agent.post(reverse("tickets:console_note", args=[ticket.number]), {"body": "备注"})
    assert bodies() == {}


@pytest.mark.parametrize("odd", [{"kind": "x"}, {"base": -1}, {"base": "x"}, {"device": ""}])
def test_a_draft_that_makes_no_sense_is_refused(agent, save, odd):
    assert save(agent, "x", **odd).status_code == 400


def test_customers_and_other_staff_see_no_drafts(cast, client_for, ticket, save):
    assert save(client_for(cast.owner), "x").status_code == 404
    assert save(client_for(cast.staff["finance"]), "x").status_code == 403


def test_who_answers_past_a_colleague_sees_the_answer_first_and_is_asked_once(
    cast, agent, client_for, ticket
):
    seen = page(agent, ticket).context["seen"]
    send(client_for(cast.staff["engineer"]), ticket, "同事先答了", seen=seen, key="other")
    asked = send(agent, ticket, "我也来答", seen=seen, key="mine")
    text = asked.content.decode()
    assert "您写回复期间有新消息" in text
    assert "同事先答了" in text
    assert "我也来答</textarea>" in text
    with scope.staff():
        assert Ticket.objects.get().messages.count() == 2
    send(agent, ticket, "我也来答", seen=asked.context["seen"], key="mine")
    with scope.staff():
        assert Ticket.objects.get().messages.count() == 3


def test_the_customers_new_words_are_shown_first_too(cast, agent, ticket):
    seen = page(agent, ticket).context["seen"]
    with scope.staff():
        reply_add(
            ticket_id=ticket.pk, body="已经恢复了", actor=cast.actor(cast.owner), at=clock.now()
        )
    for action in ("send", "wait", "resolve"):
        assert (
            "已经恢复了" in send(agent, ticket, "请重启", seen=seen, action=action).content.decode()
        )
    with scope.staff():
        assert Ticket.objects.get().messages.count() == 2


def test_a_double_click_sends_once_and_asks_nothing(agent, ticket):
    seen = page(agent, ticket).context["seen"]
    for _ in range(2):
        answer = send(agent, ticket, "您好", seen=seen, key="same")
        assert "您写回复期间有新消息" not in answer.content.decode()
    with scope.staff():
        assert Ticket.objects.get().messages.count() == 2


def test_a_reply_that_was_begun_before_the_answer_still_asks_after_a_reload(
    cast, agent, client_for, ticket, save
):
    seen = page(agent, ticket).context["seen"]
    save(agent, "写到一半", seen=seen)
    send(client_for(cast.staff["engineer"]), ticket, "同事先答了", seen=seen, key="other")
    again = page(agent, ticket)
    assert again.context["seen"] == seen
    assert "您写回复期间有新消息" in send(agent, ticket, "写完了", seen=seen).content.decode()


def test_neighbouring_lines_of_the_timeline_are_folded(cast, agent, ticket):
    with scope.staff():
        actor, at = cast.actor(cast.staff["team_lead"]), clock.now()
        for role in ("engineer", "vip_agent"):
            card = cast.card(role)
            ticket_assign(ticket_id=ticket.pk, staff_member_id=card.pk, actor=actor, at=at)
    runs = page(agent, ticket).context["runs"]
    assert [(len(run.entries), run.is_folded) for run in runs] == [(1, False), (3, True)]
