"""The agents' forms beyond answering: who may, what comes of it, what is refused."""

import pytest
from django.urls import reverse

from core import clock
from core.tenancy import scope
from tests.factories.tickets import submit, subscribe
from tickets.models import Availability, Incident, ScopeItem, Tag, Ticket, TicketLink, TicketTag
from tickets.services.assignment import ticket_assign
from tickets.services.merging import ticket_merge
from tickets.services.replies import reply_add
from tickets.states import TicketKind

FORMS = [
    "console_transfer",
    "console_tags",
    "console_severity_set",
    "console_merge",
    "console_link",
    "console_unlink",
    "console_split",
    "console_incident",
    "console_out_of_scope",
    "console_requirement",
]


@pytest.fixture
def ticket(cast):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
        return submit(cast.huachen, cast.actor(cast.owner), at=clock.now())


@pytest.fixture
def other(cast, ticket):
    with scope.staff():
        return submit(cast.huachen, cast.actor(cast.owner), at=clock.now(), title="另一张")


@pytest.fixture
def agent(cast, client_for):
    return client_for(cast.staff["vip_agent"])


def path(name, ticket):
    return reverse(f"tickets:{name}", args=[ticket.number])


def fresh(ticket):
    with scope.staff():
        return Ticket.objects.select_related("assignee").get(pk=ticket.pk)


@pytest.mark.parametrize("name", FORMS)
def test_who_may_use_a_form(cast, client_for, ticket, agent, name):
    there = path(name, ticket)
    assert client_for(cast.owner).post(there).status_code == 404
    assert client_for(cast.staff["finance"]).post(there).status_code == 403
    assert client_for(cast.staff["account_manager"]).post(there).status_code == 403
    assert agent.get(there).status_code == 405
    assert agent.post(reverse(f"tickets:{name}", args=["0"])).status_code == 404
    # An empty form changes nothing and breaks nothing.
    assert agent.post(there).status_code in {302, 404}
    assert fresh(ticket).state == "new"


def test_the_panel_has_everything_for_agents_and_no_forms_for_those_who_look(
    cast, client_for, ticket, agent
):
    there = path("console_work", ticket)
    assert "data-key" in agent.get(there).content.decode()
    looking = client_for(cast.staff["account_manager"]).get(there)
    assert looking.status_code == 200
    assert "<form" not in looking.content.decode()
    assert client_for(cast.owner).get(there).status_code == 404


def test_tags_by_their_form(ticket, agent):
    with scope.staff():
        first, second = Tag.objects.all()[:2]
    page = agent.post(
        path("console_tags", ticket),
        {"tags": [first.pk, second.pk, "x"]},
        headers={"hx-request": "true"},
    )
    assert first.name in page.content.decode()
    with scope.staff():
        assert TicketTag.objects.filter(ticket=ticket).count() == 2


def test_a_refusal_is_said_in_place(ticket, agent):
    page = agent.post(
        path("console_transfer", ticket),
        {"target": "expert", "reason": " "},
        headers={"hx-request": "true"},
    )
    assert "请填写原因" in page.content.decode()
    assert fresh(ticket).tier == ""


def test_transfer_severity_and_link(ticket, other, agent):
    agent.post(path("console_transfer", ticket), {"target": "expert", "reason": "内核问题"})
    agent.post(path("console_severity_set", ticket), {"severity": "general", "reason": "测试环境"})
    agent.post(path("console_link", ticket), {"number": other.number})
    assert (fresh(ticket).tier, fresh(ticket).severity) == ("expert", "general")
    page = agent.get(path("console_work", ticket)).content.decode()
    assert "另一张" in page
    agent.post(path("console_unlink", ticket), {"number": other.number})
    with scope.staff():
        assert not TicketLink.objects.exists()


def test_an_old_number_leads_to_the_new_one(cast, client_for, ticket, other, agent):
    answer = agent.post(path("console_merge", ticket), {"number": other.number})
    assert answer.headers["Location"] == path("console_ticket", other)
    assert (
        agent.get(path("console_ticket", ticket))
        .headers["Location"]
        .startswith(path("console_ticket", other))
    )
    owner = client_for(cast.owner)
    assert owner.get(path("ticket_detail", ticket)).headers["Location"] == path(
        "ticket_detail", other
    )
    api = owner.get(f"/api/v1/tickets/{ticket.number}/")
    assert api.status_code == 301
    assert api.headers["Location"].endswith(f"/api/v1/tickets/{other.number}/")
    said = owner.post(path("reply_create", ticket), {"body": "写给旧号", "key": "k"})
    assert said.headers["Location"] == path("ticket_detail", other)
    assert "写给旧号" in owner.get(path("ticket_detail", other)).content.decode()
    assert client_for(cast.other_owner).get(path("ticket_detail", ticket)).status_code == 404
    over = agent.post(path("console_merge", other), {"number": "0"}, headers={"hx-request": "true"})
    assert "只能合并同一客户" in over.content.decode()


def test_splitting_goes_to_the_new_ticket(cast, ticket, agent):
    with scope.staff():
        reply_add(
            ticket_id=ticket.pk, body="另一件事", actor=cast.actor(cast.owner), at=clock.now()
        )
        message = ticket.messages.order_by("-id")[0]
    answer = agent.post(
        path("console_split", ticket),
        {"message": message.pk, "title": "另一件"},
        headers={"hx-request": "true"},
    )
    with scope.staff():
        made = Ticket.objects.get(title="另一件")
    assert answer.headers["HX-Redirect"] == path("console_ticket", made)


def test_incidents_and_the_customers_who_must_not_see_them(cast, client_for, ticket, agent):
    agent.post(path("console_incident", ticket), {"title": "华东1 网络抖动"})
    with scope.staff():
        incident = Incident.objects.get()
    there = reverse("tickets:incident", args=[incident.pk])
    page = agent.get(there).content.decode()
    assert ticket.number in page
    assert client_for(cast.owner).get(there).status_code == 404
    assert (
        "网络抖动" not in client_for(cast.owner).get(path("ticket_detail", ticket)).content.decode()
    )
    assert client_for(cast.staff["account_manager"]).post(there).status_code == 403
    agent.post(there)
    with scope.staff():
        assert Incident.objects.get().state == "over"
    made = agent.post(reverse("tickets:incidents"), {"title": "又一次"})
    assert made.status_code == 302
    assert "又一次" in agent.get(reverse("tickets:incidents")).content.decode()


def test_out_of_scope_and_the_way_back(cast, client_for, ticket, agent):
    with scope.staff():
        item = ScopeItem.objects.get(code="code_development")
    agent.post(path("console_out_of_scope", ticket), {"item": item.pk})
    owner = client_for(cast.owner)
    page = owner.get(path("ticket_detail", ticket)).content.decode()
    assert "应用商城-云市场" in page
    assert "所述问题不在服务范围内" in page
    owner.post(path("ticket_reopen", ticket), {"body": "是 SDK 报错", "key": "k"})
    assert fresh(ticket).state == "processing"


def test_a_requirement_is_followed_by_its_customer(cast, client_for, agent):
    with scope.staff():
        wish = submit(
            cast.huachen,
            cast.actor(cast.owner),
            at=clock.now(),
            kind=TicketKind.REQUIREMENT,
        )
    agent.post(path("console_requirement", wish), {"stage": "assessed"})
    agent.post(
        path("console_requirement", wish),
        {"stage": "planned", "planned_for": "2027-03-31", "comment": "下个大版本"},
    )
    page = client_for(cast.owner).get(path("ticket_detail", wish)).content.decode()
    assert "已规划" in page
    assert "2027-03-31" in page
    assert "下个大版本" in page


class TestAvailability:
    there = "/console/availability/"

    def test_each_says_it_for_themselves(self, cast, client_for, agent):
        assert "暂停接单" in agent.get(self.there).content.decode()
        page = agent.post(
            self.there, {"accepting": "yes", "capacity": "3"}, headers={"hx-request": "true"}
        ).content.decode()
        assert "可接单" in page
        assert "0/3" in page
        refused = agent.post(
            self.there, {"accepting": "yes", "capacity": "99"}, headers={"hx-request": "true"}
        )
        assert "1 至 50" in refused.content.decode()
        for role in ("account_manager", "team_lead"):  # nothing is dealt to them
            other = client_for(cast.staff[role])
            assert other.get(self.there).content == b""
            assert other.post(self.there).status_code == 403

    def test_the_lead_says_it_for_others(self, cast, client_for, agent):
        with scope.staff():
            card = cast.card("customer_service")
        there = reverse("tickets:agent_set", args=[card.pk])
        assert agent.post(there).status_code == 403
        assert agent.get(reverse("tickets:agents")).status_code == 403
        lead = client_for(cast.staff["team_lead"])
        lead.post(there, {"accepting": "yes", "capacity": "5"})
        with scope.staff():
            assert Availability.objects.get().staff_member == card
        assert "0/5" in lead.get(reverse("tickets:agents")).content.decode()


class TestMany:
    there = "/console/bulk/"

    def numbers(self, *tickets):
        return ",".join(row.number for row in tickets)

    def test_assigning_says_what_was_refused(self, cast, agent, ticket, other):
        with scope.staff():
            card = cast.card("engineer")
            ticket_merge(
                ticket_id=ticket.pk,
                into_id=other.pk,
                actor=cast.actor(cast.staff["vip_agent"]),
                at=clock.now(),
            )
        page = agent.post(
            self.there,
            {"numbers": self.numbers(ticket, other), "action": "assign", "assign": card.pk},
            headers={"hx-request": "true"},
        ).content.decode()
        assert "已处理 1 张工单" in page
        assert ticket.number in page
        assert fresh(other).assignee == card

    def test_resolving_asks_for_the_number_first(self, agent, ticket, other):
        send = {
            "numbers": self.numbers(ticket, other),
            "action": "resolve",
            "body": "已恢复",
        }
        page = agent.post(self.there, send, headers={"hx-request": "true"}).content.decode()
        assert "2 张工单的客户仍在等待回复" in page
        assert 'value="2"' in page
        assert fresh(ticket).state == "new"
        agent.post(self.there, {**send, "confirmed_clocks": "2"})
        assert (fresh(ticket).state, fresh(other).state) == ("resolved", "resolved")

    @pytest.mark.parametrize("action", ["", "tag", "incident", "delete"])
    def test_what_no_form_offers_is_refused(self, agent, ticket, action):
        page = agent.post(
            self.there,
            {"numbers": ticket.number, "action": action, "tag": "0"},
            headers={"hx-request": "true"},
        )
        assert "请选择操作" in page.content.decode()

    def test_u_takes_back_the_last_step(self, cast, agent, ticket):
        with scope.staff():
            ticket_assign(
                ticket_id=ticket.pk,
                staff_member_id=cast.card("engineer").pk,
                actor=cast.actor(cast.staff["vip_agent"]),
                at=clock.now(),
            )
        htmx = {"headers": {"hx-request": "true"}}
        assert "已撤销 1 张工单的分派" in agent.post("/console/undo/", **htmx).content.decode()
        assert fresh(ticket).assignee is None
        assert "没有可撤销的操作" in agent.post("/console/undo/", **htmx).content.decode()


def test_the_panels_ask_the_database_little(ticket, agent, max_queries):
    for there, limit in (
        (path("console_work", ticket), 11),
        ("/console/availability/", 4),
        ("/console/bulk/", 5),
    ):
        agent.get(there)
        with max_queries(limit):
            assert agent.get(there).status_code == 200


def test_the_queue_shows_tags_and_can_be_held_to_one(cast, agent, ticket, other):
    with scope.staff():
        first, second = Tag.objects.all()[:2]
    agent.post(path("console_tags", ticket), {"tags": [first.pk]})
    page = agent.get("/console/")
    assert [[str(tag) for tag in row.tags] for row in page.context["page"].rows] == [
        [first.name],
        [],
    ]
    held = agent.get("/console/", {"tag": first.pk})
    assert [row.ticket.pk for row in held.context["page"].rows] == [ticket.pk]
    assert f"tag={first.pk}" in held.context["here"]
    assert agent.get("/console/", {"tag": second.pk}).context["page"].rows == []
    assert len(agent.get("/console/", {"tag": "x"}).context["page"].rows) == 2
    menu = agent.get("/console/tags/", {"view": "waiting", "tag": first.pk}).content.decode()
    assert f"view=waiting&amp;tag={first.pk}" in menu
    assert "不按标签筛选" in menu
