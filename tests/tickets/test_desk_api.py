"""What agents do beyond answering, over the API; and the customer's way back."""

import json

import pytest

from core import clock
from core.tenancy import scope
from tests.factories.tickets import submit, subscribe
from tickets.models import ScopeItem, Tag, Ticket, TicketTag
from tickets.services.scope_limits import ticket_close_out_of_scope

LIST = "/api/v1/tickets/"


def send(client, method, path, body):
    return getattr(client, method)(path, json.dumps(body), content_type="application/json")


@pytest.fixture
def ticket(cast):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
        return submit(cast.huachen, cast.actor(cast.owner), at=clock.now())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("put", "/api/v1/agents/me/"),
        ("post", f"{LIST}1/transfer/"),
        ("post", f"{LIST}1/merge/"),
        ("put", f"{LIST}1/tags/"),
    ],
)
def test_who_may(cast, client_for, method, path):
    assert send(client_for(cast.owner), method, path, {}).status_code == 404
    for role in ("finance", "account_manager"):
        assert send(client_for(cast.staff[role]), method, path, {}).status_code == 403
    if "tickets" in path:
        assert send(client_for(cast.staff["vip_agent"]), method, path, {}).status_code == 404


def test_taking_tickets(cast, client_for, ticket):
    agent, path = client_for(cast.staff["vip_agent"]), "/api/v1/agents/me/"
    assert agent.get(path).json() == {"is_accepting": False, "capacity": 8, "load": 0}
    wrong = send(agent, "put", path, {"is_accepting": True, "capacity": 51})
    assert set(wrong.json()["errors"]) == {"capacity"}
    answer = send(agent, "put", path, {"is_accepting": True, "capacity": 4})
    assert answer.json() == {"is_accepting": True, "capacity": 4, "load": 0}
    lead = send(client_for(cast.staff["team_lead"]), "put", path, {"is_accepting": True})
    assert (lead.status_code, lead.json()["code"]) == (409, "assignee_unfit")


def test_transfer_tags_and_merge(cast, client_for, ticket):
    agent, path = client_for(cast.staff["vip_agent"]), f"{LIST}{ticket.number}/"
    assert send(agent, "post", f"{path}transfer/", {"target": "expert"}).status_code == 400
    body = {"target": "expert", "reason": "内核问题"}
    assert send(agent, "post", f"{path}transfer/", body).status_code == 200
    again = send(agent, "post", f"{path}transfer/", body)
    assert (again.status_code, again.json()["code"]) == (409, "transfer_pointless")
    with scope.staff():
        assert Ticket.objects.get().tier == "expert"
        tag = Tag.objects.first()
    assert send(agent, "put", f"{path}tags/", {"tags": ["nothing"]}).status_code == 400
    assert send(agent, "put", f"{path}tags/", {"tags": [tag.code]}).json() == {"tags": [tag.code]}
    with scope.staff():
        assert TicketTag.objects.get().tag == tag
        other = submit(cast.huachen, cast.actor(cast.owner), at=clock.now())
    assert send(agent, "post", f"{path}merge/", {"into": "0"}).status_code == 409
    merged = send(agent, "post", f"{path}merge/", {"into": other.number})
    assert merged.json()["number"] == other.number
    listed = {row["number"]: row["merged_into"] for row in agent.get(LIST).json()["results"]}
    assert listed == {ticket.number: other.number, other.number: None}


def test_what_was_closed_as_out_of_scope_is_answered_over_the_api(cast, client_for, ticket):
    with scope.staff():
        ticket_close_out_of_scope(
            ticket_id=ticket.pk,
            scope_item_id=ScopeItem.objects.first().pk,
            actor=cast.actor(cast.staff["vip_agent"]),
            at=clock.now(),
        )
    path = f"{LIST}{ticket.number}/reopening/"
    assert send(client_for(cast.other_owner), "post", path, {"body": "x"}).status_code == 404
    assert send(client_for(cast.staff["vip_agent"]), "post", path, {}).status_code == 404
    assert send(client_for(cast.owner), "post", path, {"body": ""}).status_code == 400
    answer = send(client_for(cast.owner), "post", path, {"body": "是 SDK 报错"})
    assert (answer.status_code, answer.json()["state"]) == (201, "processing")
    again = send(client_for(cast.owner), "post", path, {"body": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "ticket_move_refused")
