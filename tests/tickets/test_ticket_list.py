"""A customer's list: filters, and the file to take along."""

import io
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.urls import reverse

from core import clock
from core.tenancy import scope
from supportplans.models import ProductLine
from supportplans.states import Severity
from tests.factories.tickets import submit
from tickets.services.watchers import watcher_add

LIST = reverse("tickets:ticket_list")
EXPORT = reverse("tickets:ticket_export")


@pytest.fixture
def tickets(cast):
    now = clock.now()
    with scope.staff():
        lines = {line.code: line for line in ProductLine.objects.all()}
        old = submit(
            cast.huachen,
            cast.actor(cast.owner),
            at=now - timedelta(days=10),
            title="=旧工单",
            product_line=lines["rds"],
            severity=Severity.GENERAL,
        )
        submit(
            cast.huachen, cast.actor(cast.member), at=now, title="新工单", product_line=lines["ecs"]
        )
        submit(cast.yunfan, cast.actor(cast.other_owner), at=now, title="别家的")
        watcher_add(ticket_id=old.pk, user_id=cast.member.pk, actor=cast.actor(cast.owner), at=now)
    return lines


def titles(client, **query):
    return [row.title for row in client.get(LIST, query).context["page"]]


def test_filters_by_person_product_severity_and_day(cast, client_for, tickets):
    owner = client_for(cast.owner)
    assert titles(owner) == ["新工单", "=旧工单"]
    assert titles(owner, person=cast.owner.pk) == ["=旧工单"]
    assert titles(owner, person=cast.member.pk) == ["新工单", "=旧工单"]  # submitted and followed
    assert titles(owner, product=tickets["rds"].pk) == ["=旧工单"]
    assert titles(owner, severity="urgent") == ["新工单"]
    day = clock.local(clock.now() - timedelta(days=10)).date()
    assert titles(owner, until=day.isoformat()) == ["=旧工单"]
    assert titles(owner, since=(day + timedelta(days=1)).isoformat()) == ["新工单"]
    assert titles(owner, turn="ours", severity="general") == ["=旧工单"]


@pytest.mark.parametrize(
    "query",
    [
        {"person": "x"},
        {"person": "999999999"},
        {"product": "-1"},
        {"severity": "huge"},
        {"since": "yesterday"},
        {"turn": "theirs"},
    ],
)
def test_what_cannot_be_read_filters_nothing(cast, client_for, tickets, query):
    assert titles(client_for(cast.owner), **query) == ["新工单", "=旧工单"]


def test_the_export_holds_what_the_filters_show_and_runs_in_no_spreadsheet(
    cast, client_for, tickets
):
    owner = client_for(cast.owner)
    csv = owner.get(EXPORT, {"format": "csv", "severity": "general"})
    text = csv.content.decode("utf-8-sig")
    assert "'=旧工单" in text
    assert "新工单" not in text
    assert "别家的" not in text
    book = owner.get(EXPORT, {"format": "xlsx"})
    strings = ZipFile(io.BytesIO(book.content)).read("xl/sharedStrings.xml").decode()
    assert "新工单" in strings
    assert "别家的" not in strings
    assert client_for(cast.staff["vip_agent"]).get(EXPORT).status_code == 404


def test_a_search_without_result_says_so(cast, client_for, tickets):
    page = client_for(cast.owner).get(LIST, {"severity": "urgent", "product": tickets["rds"].pk})
    assert "请调整筛选条件后重试" in page.content.decode()
