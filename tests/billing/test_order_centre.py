"""The order centre: filters by state, type, day and number, and the same orders as a file."""

from datetime import datetime, timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest

from core import clock
from core.clock import SHANGHAI
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
LIST, EXPORT = "/support/orders/", "/support/orders/export/"
START = datetime(2025, 3, 1, 0, 0, tzinfo=SHANGHAI)
DAY = timedelta(days=1)


@pytest.fixture
def orders(cast, monkeypatch):
    life = PlanLife(cast.huachen, cast.owner, balance="0")
    PlanLife(cast.huachen, cast.owner, balance="900000.00")
    bought = life.buy("lite", START)
    upgraded = life.change("business", START + DAY)
    left = life.do("unsubscription", START + 20 * DAY)
    monkeypatch.setattr(clock, "now", lambda: START + 30 * DAY)
    return {"new": bought, "upgrade": upgraded, "unsubscribe": left}


@pytest.fixture
def owner(cast, client_for):
    return client_for(cast.owner)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"type": "upgrade"}, {"upgrade"}),
        ({"type": "unsubscribe", "state": "completed"}, {"unsubscribe"}),
        ({"state": "cancelled"}, set()),
        ({"since": "2025-03-01", "until": "2025-03-01"}, {"new"}),
        ({"since": "2025-03-02", "until": "2025-03-20"}, {"upgrade"}),
        ({"until": "2025-02-28"}, set()),
        ({"since": "nonsense", "type": "gold"}, {"new", "upgrade", "unsubscribe"}),
    ],
)
def test_the_list_is_filtered(orders, owner, query, found):
    page = owner.get(LIST, query).content.decode()

    assert {kind for kind, order in orders.items() if order.number in page} == found


def test_a_part_of_the_number_finds_its_order(orders, owner):
    page = owner.get(LIST, {"number": orders["upgrade"].number[8:]}).content.decode()

    assert orders["upgrade"].number in page
    assert orders["new"].number not in page


def test_the_csv_holds_the_filtered_orders(orders, owner):
    answer = owner.get(EXPORT, {"type": "upgrade", "format": "csv"})

    rows = answer.content.decode("utf-8-sig").splitlines()
    order = orders["upgrade"]
    assert answer["Content-Type"].startswith("text/csv")
    assert len(rows) == 2
    assert rows[0].startswith("订单号,订单类型")
    assert rows[1].startswith(
        f"{order.number},升配,客户支持计划,商业级,{order.paid_days} 天,已完成,{order.amount}"
    )
    assert "2025-03-02 00:00:00" in rows[1]


def test_the_spreadsheet_holds_them_too(orders, owner):
    answer = owner.get(EXPORT, {"format": "xlsx"})

    with ZipFile(BytesIO(answer.content)) as book:
        texts = book.read("xl/sharedStrings.xml").decode()
    assert all(order.number in texts for order in orders.values())


def test_whose_orders_they_are(orders, cast, client_for):
    other = client_for(cast.other_owner).get(EXPORT).content.decode("utf-8-sig")

    assert len(other.splitlines()) == 1
    assert client_for(cast.member).get(EXPORT).status_code == 403
    assert client_for(cast.staff["finance"]).get(EXPORT).status_code == 404
