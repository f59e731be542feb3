"""Orders over the API."""

from decimal import Decimal

import pytest

from billing.models import Order
from core import clock
from core.tenancy import scope
from supportplans.selectors.catalogue import agreement_at
from tests.factories.billing import order_for

pytestmark = pytest.mark.django_db
URL = "/api/v1/orders/"


def place(client, key="k1", **changed):
    body = {
        "plan": "lite",
        "years": 1,
        "agreement_version": agreement_at(clock.now()).version,
        "amount": "6000.00",
        **changed,
    }
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(URL, body, content_type="application/json", headers=headers)


def test_a_quote_explains_itself(cast, client_for):
    answer = client_for(cast.member).get(f"{URL}quote/", {"plan": "business", "years": 2})

    assert answer.status_code == 200
    body = answer.json()
    assert (body["amount"], body["paid_days"]) == ("600000.00", 730)
    assert body["explanation"] == [
        {"rule": "new_term", "formula": "25000.00 × 24", "amount": "600000.00"}
    ]


@pytest.mark.parametrize(
    "query", [{}, {"plan": "standard", "years": 1}, {"plan": "lite", "years": 0}]
)
def test_a_question_that_makes_no_sense_is_a_problem(cast, client_for, query):
    answer = client_for(cast.owner).get(f"{URL}quote/", query)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"]


def test_an_order_is_placed_once_per_key(cast, client_for):
    client = client_for(cast.owner)
    first, again = place(client), place(client)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["number"] == again.json()["number"]
    assert (first.json()["due"], first.json()["state"]) == ("6000.00", "pending")
    with scope.staff():
        assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"key": ""}, 400, "invalid"),
        ({"agreement_version": "1999-01"}, 409, "agreement_changed"),
        ({"amount": "1.00"}, 409, "price_changed"),
        ({"years": 9}, 422, "term_not_offered"),
    ],
)
def test_a_refusal_has_a_stable_code(cast, client_for, changed, status, code):
    answer = place(client_for(cast.owner), **changed)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    with scope.staff():
        assert not Order.objects.exists()


def test_a_second_order_and_a_reused_key_are_refused(cast, client_for):
    client = client_for(cast.owner)
    place(client)

    assert place(client, key="k2").json()["code"] == "open_order_exists"
    assert place(client, years=2).json()["code"] == "idempotency_key_reused"


def test_rights_and_other_tenants(cast, client_for):
    order = order_for(cast.huachen, cast.owner)

    assert place(client_for(cast.administrator)).status_code == 403
    assert client_for(cast.member).get(URL).status_code == 403
    assert client_for(cast.other_owner).get(f"{URL}{order.number}/").status_code == 404
    assert client_for(cast.other_owner).get(URL).json()["results"] == []
    (row,) = client_for(cast.administrator).get(URL).json()["results"]
    assert (row["number"], Decimal(row["amount"])) == (order.number, Decimal("6000.00"))
    assert client_for(cast.owner).get(f"{URL}{order.number}/").json()["plan"] == "lite"
