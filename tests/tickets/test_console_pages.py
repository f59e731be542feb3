"""The agents' console: who sees what, in which order, live."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from core import clock
from core.tenancy import scope
from supportplans.states import PlanCode, Severity
from tests.factories.tickets import open_window, submit, subscribe
from tickets.models import Ticket, TicketNote
from tickets.selectors import queue
from tickets.services.coverages import windows_sync

AGENTS = ["vip_agent", "customer_service", "engineer", "team_lead", "duty_manager", "operator"]


@pytest.fixture
def ticket(cast):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
        return submit(cast.huachen, cast.actor(cast.owner), at=clock.now())


def titles(answer):
    return [row.ticket.title for row in answer.context["page"].rows]


@pytest.mark.parametrize("role", [*AGENTS, "account_manager", "filing_steward"])
def test_those_who_work_tickets_see_the_console(cast, client_for, ticket, role):
    person = client_for(cast.staff[role])
    assert person.get(reverse("tickets:console")).status_code == 200
    assert person.get(reverse("tickets:console_ticket", args=[ticket.number])).status_code == 200


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("console_ticket", "get"),
        ("console_context", "get"),
        ("console_reply", "post"),
        ("console_note", "post"),
        ("console_take", "post"),
        ("console_assign", "post"),
    ],
)
def test_others_do_not(cast, client_for, ticket, name, method):
    path = reverse(f"tickets:{name}", args=[ticket.number])
    send = lambda person: getattr(client_for(person), method)(path, {"body": "x"})  # noqa: E731
    assert send(cast.owner).status_code == 404
    assert send(cast.staff["finance"]).status_code == 403
    wrong = "post" if method == "get" else "get"
    assert getattr(client_for(cast.staff["vip_agent"]), wrong)(path).status_code == 405
    missing = reverse(f"tickets:{name}", args=["0"])
    assert getattr(client_for(cast.staff["vip_agent"]), method)(missing).status_code == 404


def test_each_desk_sees_its_own_and_leads_see_both(cast, client_for, ticket):
    with scope.staff():
        other = submit(cast.yunfan, cast.actor(cast.other_owner), at=clock.now(), title="标准客户")
    path = reverse("tickets:console")
    assert titles(client_for(cast.staff["vip_agent"]).get(path)) == [ticket.title]
    assert titles(client_for(cast.staff["customer_service"]).get(path)) == [other.title]
    lead = client_for(cast.staff["team_lead"])
    assert titles(lead.get(path)) == [ticket.title, other.title]
    assert titles(lead.get(path, {"desk": "standard"})) == [other.title]
    # A desk that is not theirs is not shown, whatever the address says.
    agent = client_for(cast.staff["vip_agent"])
    assert titles(agent.get(path, {"desk": "standard"})) == [ticket.title]


def test_the_queue_is_in_rank_order_and_says_why(cast, client_for):
    now = clock.now()
    with scope.staff():
        subscribe(cast.huachen, PlanCode.LITE, at=now - timedelta(hours=1))
        subscribe(cast.yunfan, PlanCode.ENTERPRISE, at=now - timedelta(hours=1))
        a, b = cast.actor(cast.owner), cast.actor(cast.other_owner)
        submit(cast.huachen, a, at=now, title="轻量一般", severity=Severity.GENERAL)
        submit(cast.huachen, a, at=now, title="轻量紧急")
        submit(cast.yunfan, b, at=now, title="企业紧急晚")
        submit(cast.yunfan, b, at=now - timedelta(minutes=2), title="企业紧急早")
    agent = client_for(cast.staff["vip_agent"])
    path = reverse("tickets:console")
    assert titles(agent.get(path)) == ["企业紧急早", "企业紧急晚", "轻量紧急", "轻量一般"]
    with scope.staff():
        open_window(cast.huachen, 2, starts=now, ends=now + timedelta(hours=1))
        windows_sync(at=now + timedelta(seconds=1))
    answer = agent.get(path)
    assert titles(answer)[:2] == ["轻量一般", "轻量紧急"]
    assert "二级重保进行中 → 一般工单按紧急处理（重保）" in answer.context["page"].rows[0].why


def test_answering_without_scripts(cast, client_for, ticket):
    agent = client_for(cast.staff["vip_agent"])
    path = reverse("tickets:console_reply", args=[ticket.number])
    assert agent.post(path, {"body": "您好", "action": "send", "key": "k"}).status_code == 302
    assert agent.post(path, {"body": "您好", "action": "send", "key": "k"}).status_code == 302
    with scope.staff():
        fresh = Ticket.objects.get()
        assert fresh.messages.count() == 2
        assert (fresh.state, fresh.assignee) == ("processing", cast.card("vip_agent"))
        assert fresh.due_at is None
        assert fresh.messages.last().actor_name == "VIP 专席"


@pytest.mark.parametrize("action", ["send", "wait"])
def test_an_empty_reply_changes_nothing(cast, client_for, ticket, action):
    agent = client_for(cast.staff["vip_agent"])
    path = reverse("tickets:console_reply", args=[ticket.number])
    assert agent.post(path, {"body": " ", "action": action}).status_code == 400
    with scope.staff():
        assert Ticket.objects.get().state == "new"


def test_waiting_and_solving_by_their_buttons(cast, client_for, ticket):
    agent = client_for(cast.staff["vip_agent"])
    path = reverse("tickets:console_reply", args=[ticket.number])
    refused = agent.post(path, {"body": "", "action": "resolve"})
    assert "客户正在等待回复" in refused.content.decode()
    agent.post(path, {"body": "请提供日志", "action": "wait"})
    with scope.staff():
        assert Ticket.objects.get().state == "waiting"
    agent.post(path, {"body": "", "action": "resolve"})
    with scope.staff():
        assert Ticket.objects.get().state == "resolved"


def test_taking_and_handing_over(cast, client_for, ticket):
    first, second = client_for(cast.staff["vip_agent"]), client_for(cast.staff["team_lead"])
    take = reverse("tickets:console_take", args=[ticket.number])
    first.post(take)
    answer = second.post(take, follow=True)
    assert "该工单已由其他同事接单" in answer.content.decode()
    with scope.staff():
        assert Ticket.objects.get().assignee == cast.card("vip_agent")
        engineer, finance = cast.card("engineer"), cast.card("finance")
    assign = reverse("tickets:console_assign", args=[ticket.number])
    second.post(assign, {"assignee": finance.pk})
    second.post(assign, {"assignee": "x"})
    with scope.staff():
        assert Ticket.objects.get().assignee == cast.card("vip_agent")
    second.post(assign, {"assignee": engineer.pk})
    with scope.staff():
        assert Ticket.objects.get().assignee == engineer
        assert Ticket.objects.get().state == "new"  # no response


def test_a_note_is_kept_for_staff(cast, client_for, ticket):
    agent = client_for(cast.staff["vip_agent"])
    agent.post(reverse("tickets:console_note", args=[ticket.number]), {"body": "疑似端口异常"})
    with scope.staff():
        assert TicketNote.objects.get().actor_name == "VIP 专席"
    page = agent.get(reverse("tickets:console_ticket", args=[ticket.number])).content.decode()
    assert "疑似端口异常" in page
    assert "客户不可见" in page


def test_views_and_counters(cast, client_for, ticket):
    agent = client_for(cast.staff["vip_agent"])
    path = reverse("tickets:console")

    def counts():
        return {code: count for code, _, count in agent.get(path).context["views"]}

    assert counts() == {"waiting": "1", "mine": "0", "work": "0", "done": ""}
    reply = reverse("tickets:console_reply", args=[ticket.number])
    agent.post(reply, {"body": "好", "action": "send"})
    assert counts() == {"waiting": "0", "mine": "1", "work": "1", "done": ""}
    agent.post(reply, {"body": "好了", "action": "resolve"})
    assert titles(agent.get(path, {"view": "done"})) == [ticket.title]


def test_the_top_bar_warns_of_what_is_due_and_late(cast, client_for, ticket):
    agent = client_for(cast.staff["vip_agent"])
    path = reverse("tickets:console")

    def alarms(minutes):
        with scope.staff():
            due = Ticket.objects.get().created_at + timedelta(minutes=10)
        with time_machine.travel(due - timedelta(minutes=minutes), tick=False):
            return {code: count for code, _, count in agent.get(path).context["alarms"]}

    assert alarms(6) == {"soon": "0", "late": "0"}
    assert alarms(5) == {"soon": "1", "late": "0"}
    assert alarms(0) == {"soon": "0", "late": "1"}


def test_the_customer_beside_the_ticket(cast, client_for, ticket):
    now = clock.now()
    with scope.staff():
        open_window(cast.huachen, 2, starts=now, ends=now + timedelta(hours=1))
    path = reverse("tickets:console_context", args=[ticket.number])
    page = client_for(cast.staff["vip_agent"]).get(path)
    assert (page.context["assurance"].used, page.context["assurance"].total) == (0, 4)
    text = page.content.decode()
    assert "已用 0 / 4 次" in text
    assert "进行中" in text
    with scope.staff():
        other = submit(cast.yunfan, cast.actor(cast.other_owner), at=now)
    path = reverse("tickets:console_context", args=[other.number])
    page = client_for(cast.staff["team_lead"]).get(path)
    assert page.context["assurance"] is None
    assert "默认享有" in page.content.decode()


def test_pages_go_on_by_key_and_counts_are_capped(cast, client_for, monkeypatch):
    monkeypatch.setattr(queue, "PAGE_SIZE", 3)
    monkeypatch.setattr(queue, "COUNT_CAP", 4)
    now = clock.now()
    with scope.staff():
        subscribe(cast.huachen, at=now - timedelta(hours=1))
        for number in range(7):
            at = now - timedelta(seconds=70 - number)
            submit(cast.huachen, cast.actor(cast.owner), at=at, title=f"工单{number}")
    agent = client_for(cast.staff["vip_agent"])
    found, after = [], ""
    while after is not None:
        answer = agent.get(reverse("tickets:console"), {"after": after})
        found += titles(answer)
        after = answer.context["page"].next_after
    assert found == [f"工单{number}" for number in range(7)]
    assert answer.context["views"][0][2] == "4+"
    assert len(titles(agent.get(reverse("tickets:console"), {"after": "nonsense~~"}))) == 3


def test_search_finds_two_characters_across_customers(cast, client_for, ticket):
    agent = client_for(cast.staff["vip_agent"])
    answer = agent.get(reverse("tickets:console"), {"q": "无法"})
    assert titles(answer) == [ticket.title]
    assert titles(agent.get(reverse("tickets:console"), {"q": "法无"})) == []


def test_the_console_asks_the_database_little(cast, client_for, ticket, max_queries):
    agent = client_for(cast.staff["vip_agent"])
    budget = {
        reverse("tickets:console"): 8,
        reverse("tickets:console_ticket", args=[ticket.number]): 15,
        reverse("tickets:console_context", args=[ticket.number]): 12,
        reverse("tickets:console_live"): 9,
    }
    for path, limit in budget.items():
        agent.get(path)
        with max_queries(limit):
            assert agent.get(path).status_code == 200


def test_a_chips_hover_and_the_open_ticket_tell_what_changed_the_target(cast, client_for):
    now = clock.now()
    with scope.staff():
        owner = cast.actor(cast.owner)
        made = submit(cast.huachen, owner, at=now, severity=Severity.GENERAL)
        subscribe(cast.huachen, PlanCode.ENTERPRISE, at=now + timedelta(seconds=1))
    agent = client_for(cast.staff["team_lead"])
    pages = [
        agent.get(reverse("tickets:console")),
        agent.get(reverse("tickets:console_ticket", args=[made.number])),
    ]
    for page in pages:
        text = page.content.decode()
        assert (
            f"应于 {clock.local(now + timedelta(minutes=30)):%Y-%m-%d %H:%M:%S}（北京时间）前响应"
            in text
        )
        assert "目标 30 分钟：企业级，一般" in text
        assert "支持计划升级为企业级，60 → 30 分钟" in text
