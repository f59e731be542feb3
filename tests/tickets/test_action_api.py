"""What customers do about tickets over the API: the rules of the pages, with stable codes."""

import json
from datetime import timedelta

import pytest

from core import clock
from core.tenancy import scope
from supportplans.states import Severity
from tests.factories.tickets import submit
from tickets.models import TicketMessage
from tickets.services.replies import reply_add
from tickets.services.tickets import ticket_resolve


@pytest.fixture
def ticket(cast):
    with scope.staff():
        return submit(
            cast.huachen,
            cast.actor(cast.owner),
            at=clock.now() - timedelta(minutes=61),
            severity=Severity.GENERAL,
        )


def path(ticket, action):
    return f"/api/v1/tickets/{ticket.number}/{action}/"


def post(client, where, body=None):
    return client.post(where, json.dumps(body or {}), content_type="application/json")


def test_urge_then_raise(cast, client_for, ticket):
    owner = client_for(cast.owner)
    assert post(owner, path(ticket, "urge")).status_code == 200
    again = post(owner, path(ticket, "urge"))
    assert (again.status_code, again.json()["code"]) == (409, "urge_too_early")
    assert post(owner, path(ticket, "raise")).json()["severity"] == "urgent"
    assert post(owner, path(ticket, "raise")).status_code == 409


def test_watchers(cast, client_for, ticket):
    owner = client_for(cast.owner)
    added = post(owner, path(ticket, "watchers"), {"user": cast.member.pk})
    assert [row["name"] for row in added.json()] == ["赵磊"]
    foreign = post(owner, path(ticket, "watchers"), {"user": cast.other_owner.pk})
    missing = post(owner, path(ticket, "watchers"), {"user": 987_654_321})
    assert foreign.status_code == missing.status_code == 400
    detail = owner.get(f"/api/v1/tickets/{ticket.number}/").json()
    assert [row["user"] for row in detail["watchers"]] == [cast.member.pk]
    assert owner.delete(path(ticket, f"watchers/{cast.member.pk}")).status_code == 204
    assert owner.get(path(ticket, "watchers")).json() == []


def test_recall_leaves_no_text_and_no_files(cast, client_for, ticket):
    with scope.staff():
        reply_add(
            ticket_id=ticket.pk, body="口令在此", actor=cast.actor(cast.owner), at=clock.now()
        )
        message = TicketMessage.objects.latest("pk")
    owner = client_for(cast.owner)
    assert post(owner, path(ticket, f"messages/{message.pk}/recall")).status_code == 200
    shown = owner.get(f"/api/v1/tickets/{ticket.number}/").json()["messages"][-1]
    assert (shown["body"], shown["attachments"]) == ("", [])
    assert shown["recalled_at"]
    other = post(client_for(cast.member), path(ticket, f"messages/{message.pk}/recall"))
    assert other.json()["code"] == "recall_refused"


def test_confirm_reopen_and_rate(cast, client_for, ticket):
    with scope.staff():
        agent = cast.actor(cast.staff["customer_service"])
        ticket_resolve(ticket_id=ticket.pk, body="好了", actor=agent, at=clock.now())
    owner = client_for(cast.owner)
    assert post(owner, path(ticket, "confirm")).json()["state"] == "closed"
    assert (
        post(owner, path(ticket, "reopening"), {"body": "又坏了"}).json()["state"] == "processing"
    )
    assert post(owner, path(ticket, "rating"), {"score": 3}).status_code == 409
    post(owner, path(ticket, "confirm"))
    rated = post(owner, path(ticket, "rating"), {"score": 2, "reasons": ["slow"]})
    assert (rated.status_code, rated.json()["reasons"]) == (201, ["slow"])
    bad = post(owner, path(ticket, "rating"), {"score": 6, "reasons": ["x"]})
    assert set(bad.json()["errors"]) == {"score", "reasons"}


@pytest.mark.parametrize("action", ["urge", "raise", "confirm", "reopening", "rating", "watchers"])
def test_for_this_customers_people_only(cast, client_for, ticket, action):
    body = {"body": "x", "score": 5, "user": cast.member.pk}
    for person in (cast.other_owner, cast.staff["vip_agent"]):
        assert post(client_for(person), path(ticket, action), body).status_code in {400, 404}
    with scope.staff():
        ticket.refresh_from_db()
    assert (ticket.state, ticket.urged_at, ticket.severity) == ("new", None, "general")
