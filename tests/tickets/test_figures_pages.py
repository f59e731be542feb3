"""The lead's figures and wall, and the customer's own figures: who sees what, what they say."""

import csv
import io
from datetime import datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from core.clock import SHANGHAI
from core.tenancy import scope
from tests.factories.tickets import submit, subscribe
from tickets.models import Ticket
from tickets.services.replies import reply_add

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 10, 12, 0, tzinfo=SHANGHAI)
PAGES = ("figures", "figures_export", "wall", "wall_live")


@pytest.fixture
def tickets(cast):
    """华辰 has one answer in time and one late, 云帆 one ticket that waits for long."""
    with time_machine.travel(NOON, tick=False), scope.staff():
        subscribe(cast.huachen, at=NOON - timedelta(days=40))
        agent = cast.actor(cast.staff["vip_agent"])
        early, late = (
            submit(cast.huachen, cast.actor(cast.owner), at=NOON, title=title)
            for title in ("守时", "迟到")
        )
        reply_add(ticket_id=early.pk, body="好", actor=agent, at=NOON + timedelta(minutes=4))
        reply_add(ticket_id=late.pk, body="好", actor=agent, at=NOON + timedelta(minutes=12))
        waiting = submit(cast.yunfan, cast.actor(cast.other_owner), at=NOON, title="等待")
    return early, late, waiting


@pytest.fixture
def later(tickets):
    with time_machine.travel(NOON + timedelta(minutes=13), tick=False):
        yield


@pytest.mark.parametrize("name", PAGES)
def test_leads_see_them_others_do_not(cast, client_for, later, name):
    path = reverse(f"tickets:{name}")
    for role in ("team_lead", "duty_manager", "operator"):
        assert client_for(cast.staff[role]).get(path).status_code == 200
    for role in ("vip_agent", "finance"):
        assert client_for(cast.staff[role]).get(path).status_code == 403
    assert client_for(cast.owner).get(path).status_code == 404
    assert client_for(cast.staff["team_lead"]).post(path).status_code == 405


def test_figures_of_all_customers(cast, client_for, later):
    answer = client_for(cast.staff["team_lead"]).get(reverse("tickets:figures"))
    figures = answer.context["figures"]
    assert (figures.total.kept, figures.total.missed) == (1, 1)
    text = answer.content.decode()
    assert "2 次响应承诺，达成 1 次，达成率 50.0%" in text
    assert "一半的响应在 4 分 0 秒内，九成在 12 分 0 秒内" in text
    assert "未解决工单 3 件" in text
    assert 'role="img"' in text


def test_a_customer_sees_only_their_own(cast, client_for, later):
    path = reverse("tickets:own_figures")
    own = client_for(cast.owner).get(path)
    assert own.context["figures"].total.promised == 2
    other = client_for(cast.other_owner).get(path)
    assert other.context["figures"].total.promised == 0
    assert other.context["figures"].times.answered == 0
    assert "人员" not in [group.heading for group in own.context["figures"].groups]
    assert client_for(cast.staff["team_lead"]).get(path).status_code == 404


def test_narrowed_by_plan_and_months(cast, client_for, later):
    lead, path = client_for(cast.staff["team_lead"]), reverse("tickets:figures")
    assert lead.get(path, {"plan": "lite"}).context["figures"].total.promised == 0
    chosen = {"first": "2026-09", "last": "2026-10"}
    assert lead.get(path, chosen).context["figures"].total.promised == 0
    assert lead.get(path, {"first": "2026-11"}).context["figures"].total.promised == 2


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"first": "2026-13"}, "请按 2026-11 的格式填写月份"),
        ({"first": "2026-11", "last": "2026-10"}, "截止月份不能早于起始月份"),
        ({"first": "2025-01", "last": "2026-10"}, "最多查询 12 个月"),
    ],
)
def test_a_range_that_makes_no_sense_is_said(cast, client_for, later, chosen, said):
    lead = client_for(cast.staff["team_lead"])
    answer = lead.get(reverse("tickets:figures"), chosen)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert lead.get(reverse("tickets:figures_export"), chosen).status_code == 302


@pytest.mark.parametrize(
    ("person", "name", "promised"),
    [("lead", "figures_export", "2"), ("owner", "own_figures_export", "2")],
)
def test_the_same_as_a_file(cast, client_for, later, person, name, promised):
    who = cast.owner if person == "owner" else cast.staff["team_lead"]
    answer = client_for(who).get(reverse(f"tickets:{name}"))
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["分组", "项目", "承诺", "达成", "未达成", "达成率（%）"]
    assert rows[1] == ["合计", "", promised, "1", "1", "50.0"]
    assert ["月份", "2026-11", "2", "1", "1", "50.0"] in rows
    xlsx = client_for(who).get(reverse(f"tickets:{name}"), {"format": "xlsx"})
    assert xlsx.content.startswith(b"PK")


def test_the_wall_shows_what_breaks_next_and_what_is_late(cast, client_for, tickets):
    lead, path = client_for(cast.staff["team_lead"]), reverse("tickets:wall")

    def shown(minutes):
        with time_machine.travel(NOON + timedelta(minutes=minutes), tick=False):
            wall = lead.get(path).context["wall"]
        return [[row.ticket.title for row in rows] for rows in (wall.soon, wall.late)]

    assert shown(13) == [["等待"], []]  # due thirty minutes after noon
    assert shown(30) == [[], ["等待"]]
    with scope.staff():
        submit(cast.huachen, cast.actor(cast.owner), at=NOON + timedelta(minutes=15), title="新")
    assert shown(16) == [["新", "等待"], []]


def test_the_wall_is_painted_anew_when_something_happens_or_time_goes_by(cast, client_for, later):
    lead, path = client_for(cast.staff["team_lead"]), reverse("tickets:wall_live")
    version = lead.get(reverse("tickets:wall")).context["version"]
    assert lead.get(path, {"version": version}).status_code == 204
    with time_machine.travel(NOON + timedelta(minutes=14), tick=False):
        assert lead.get(path, {"version": version}).status_code == 200


def test_handing_over_from_the_wall(cast, client_for, later, tickets):
    lead, path = client_for(cast.staff["team_lead"]), reverse("tickets:wall_assign")
    with scope.staff():
        engineer, finance = cast.card("engineer"), cast.card("finance")
    number = tickets[2].number
    for chosen, said in (
        ({"number": number, "assignee": finance.pk}, "该员工不处理工单"),
        ({"number": number, "assignee": "x"}, "该员工不处理工单"),
        ({"number": "0", "assignee": engineer.pk}, "请先选择一张工单"),
    ):
        assert said in lead.post(path, chosen, follow=True).content.decode()
    with scope.staff():
        assert Ticket.objects.get(number=number).assignee is None
    answer = lead.post(
        path, {"number": number, "assignee": engineer.pk}, headers={"HX-Request": "true"}
    )
    assert "wall-board" in answer.content.decode()
    with scope.staff():
        assert Ticket.objects.get(number=number).assignee == engineer
    assert client_for(cast.staff["vip_agent"]).post(path).status_code == 403
    assert client_for(cast.owner).post(path).status_code == 404


def test_the_pages_ask_the_database_little(cast, client_for, later, max_queries):
    lead, owner = client_for(cast.staff["team_lead"]), client_for(cast.owner)
    for person, name, limit in ((lead, "figures", 8), (lead, "wall", 9), (owner, "own_figures", 6)):
        person.get(reverse(f"tickets:{name}"))
        with max_queries(limit):
            assert person.get(reverse(f"tickets:{name}")).status_code == 200
