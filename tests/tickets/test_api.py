"""Tickets over the API."""

import json

import pytest

from core import clock
from core.tenancy import scope
from tests.factories.tickets import submit, subscribe
from tickets.models import Ticket, TicketLink
from tickets.services.replies import note_add

LIST = "/api/v1/tickets/"


@pytest.fixture
def ticket(cast):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
        return submit(cast.huachen, cast.actor(cast.owner), at=clock.now())


def post(client, path, body, **headers):
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def test_submit_is_idempotent_and_lists_the_own_tickets_only(cast, client_for, ticket):
    other = client_for(cast.other_owner)
    body = {
        "title": "接口超时",
        "body": "api 返回 504",
        "effect": "impaired",
        "product_line": "elb",
    }
    first = post(other, LIST, body, idempotency_key="abc")
    again = post(other, LIST, body, idempotency_key="abc")
    assert (first.status_code, first.json()["severity"]) == (201, "urgent")
    assert first.json()["number"] == again.json()["number"]
    assert [row["number"] for row in other.get(LIST).json()["results"]] == [first.json()["number"]]
    staff = client_for(cast.staff["vip_agent"]).get(LIST).json()["results"]
    assert len(staff) == 2


def test_bad_input_is_said_beside_its_field(cast, client_for):
    answer = post(client_for(cast.owner), LIST, {"title": "", "effect": "huge", "body": "x"})
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.json()["errors"]) == {"title", "effect", "product_line"}


def test_the_detail_has_conversation_and_clocks_and_no_notes(cast, client_for, ticket):
    with scope.staff():
        agent = cast.actor(cast.staff["vip_agent"])
        note_add(ticket_id=ticket.pk, body="绝密", actor=agent, at=clock.now())
    path = f"{LIST}{ticket.number}/"
    answer = client_for(cast.owner).get(path)
    assert [row["author"] for row in answer.json()["messages"]] == ["李明"]
    assert answer.json()["clocks"][0]["target_minutes"] == 10
    assert "绝密" not in answer.content.decode()
    assert client_for(cast.other_owner).get(path).status_code == 404
    assert client_for(cast.staff["finance"]).get(path).status_code == 403


def test_replies_and_who_may_hand_over_the_turn(cast, client_for, ticket):
    path = f"{LIST}{ticket.number}/replies/"
    assert post(client_for(cast.other_owner), path, {"body": "x"}).status_code == 404
    assert post(client_for(cast.owner), path, {"body": "x", "wait": True}).status_code == 403
    assert post(client_for(cast.owner), path, {"body": ""}).status_code == 400
    agent = client_for(cast.staff["vip_agent"])
    assert post(agent, path, {"wait": True}).status_code == 400
    answer = post(agent, path, {"body": "请提供日志", "wait": True})
    assert (answer.status_code, answer.json()["state"]) == (201, "waiting")
    with scope.staff():
        assert Ticket.objects.get().messages.count() == 2


def test_staff_submits_for_nobody(cast, client_for):
    body = {"title": "a", "body": "b", "effect": "question", "product_line": "ecs"}
    assert post(client_for(cast.staff["vip_agent"]), LIST, body).status_code == 403


def test_a_follow_up_names_what_it_follows(cast, client_for, ticket):
    owner = client_for(cast.owner)
    body = {"title": "a", "body": "b", "effect": "question", "product_line": "ecs"}
    made = post(owner, LIST, {**body, "follows": ticket.number})
    assert made.status_code == 201
    with scope.staff():
        assert TicketLink.objects.get().other == ticket
    refused = post(client_for(cast.other_owner), LIST, {**body, "follows": ticket.number})
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"follows"})


def test_a_requirement_has_its_track(cast, client_for):
    owner = client_for(cast.owner)
    body = {"title": "a", "body": "b", "effect": "question", "product_line": "ecs"}
    number = post(owner, LIST, {**body, "kind": "requirement"}).json()["number"]
    track = owner.get(f"{LIST}{number}/").json()["requirement"]
    assert [step["stage"] for step in track] == ["collected"]
