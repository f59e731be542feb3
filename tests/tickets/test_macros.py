"""Macros: kept by their owners, shown before they are applied, applied as they were shown."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from core import clock
from core.exceptions import DomainError
from core.tenancy import scope
from supportplans.states import Severity
from tests.factories.tickets import submit, subscribe
from tickets.models import AgentDraft, Macro, Tag, Ticket, TicketNote, TicketTag
from tickets.services.macro_steps import StepInvalid
from tickets.services.macros import macro_preview, macro_save, macro_text
from tickets.services.replies import reply_add
from tickets.services.tags import ticket_tag_add

ASK = [
    {"kind": "reply", "body": "您好{{客户}}，请补充日志（工单 {{工单号}}）。"},
    {"kind": "state", "to": "waiting"},
    {"kind": "note", "body": "等日志"},
    {"kind": "assign", "to": "me"},
]


@pytest.fixture
def ticket(cast):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
        return submit(
            cast.huachen, cast.actor(cast.owner), at=clock.now(), severity=Severity.GENERAL
        )


@pytest.fixture
def agent(cast, client_for):
    return client_for(cast.staff["vip_agent"])


@pytest.fixture
def keep(cast):
    def save(steps, *, name="请补充日志", owner=None, shortcut="日志", macro=None):
        with scope.staff():
            return macro_save(
                macro=macro,
                name=name,
                shortcut=shortcut,
                owner=owner and cast.card(owner),
                steps=steps,
                actor=cast.actor(cast.staff["team_lead"]),
                at=clock.now(),
            )

    return save


def path(ticket, macro):
    return reverse("tickets:console_macro", args=[ticket.number, macro.pk])


def apply(client, ticket, macro, shown, **changes):
    fields = {
        "digest": shown.context["preview"].digest,
        "seen": shown.context["seen"],
        "key": shown.context["key"],
        "draft": shown.context["draft"],
        **changes,
    }
    return client.post(path(ticket, macro), fields, headers={"HX-Request": "true"})


def test_the_preview_shows_texts_and_fields_and_writes_nothing(cast, agent, ticket, keep):
    macro = keep(ASK)
    shown = agent.get(path(ticket, macro), {"draft": "先写的"})
    preview = shown.context["preview"]
    text = f"您好华辰科技，请补充日志（工单 {ticket.number}）。"
    assert preview.texts == {"reply": f"先写的\n\n{text}", "note": "等日志"}
    assert [(c.label, c.before, c.after) for c in preview.changes] == [
        ("状态", "待响应", "待客户反馈"),
        ("处理人", "—", "VIP 专席"),
        ("响应计时", "计时中", "不计时"),
    ]
    with scope.staff():
        fresh = Ticket.objects.get()
        assert (fresh.state, fresh.assignee, fresh.messages.count()) == ("new", None, 1)
        assert not TicketNote.objects.exists()


def test_it_is_applied_as_it_was_shown_once(agent, ticket, keep):
    macro = keep(ASK)
    with scope.staff():
        AgentDraft.objects.create(
            tenant=ticket.tenant,
            ticket=ticket,
            staff_member_id=ticket_agent(agent),
            kind="reply",
            body="先写的",
            device="a",
            saved_at=clock.now(),
        )
    shown = agent.get(path(ticket, macro), {"draft": "先写的"})
    for _ in range(2):
        answer = apply(agent, ticket, macro, shown)
        assert answer.headers["HX-Redirect"].endswith(f"/console/tickets/{ticket.number}/")
    with scope.staff():
        fresh = Ticket.objects.get()
        assert (fresh.state, fresh.assignee.display_name) == ("waiting", "VIP 专席")
        assert fresh.messages.count() == 2
        assert fresh.messages.last().body == shown.context["preview"].texts["reply"]
        assert TicketNote.objects.count() == 1
        assert not AgentDraft.objects.exists()


def ticket_agent(client):
    from accounts.models import StaffMember

    return StaffMember.objects.get(display_name="VIP 专席").pk


def test_when_something_else_would_happen_it_is_shown_again(agent, ticket, keep):
    macro = keep(ASK)
    shown = agent.get(path(ticket, macro))
    keep([{**ASK[0], "body": "改过的"}, *ASK[1:]], macro=macro)
    again = apply(agent, ticket, macro, shown)
    assert "工单或宏已变化" in again.content.decode()
    assert "改过的" in again.content.decode()
    with scope.staff():
        assert Ticket.objects.get().messages.count() == 1
    assert "HX-Redirect" in apply(agent, ticket, macro, again).headers


def test_what_was_written_meanwhile_is_shown_first(cast, agent, ticket, keep):
    macro = keep(ASK)
    shown = agent.get(path(ticket, macro))
    with scope.staff():
        owner = cast.actor(cast.owner)
        reply_add(ticket_id=ticket.pk, body="已经好了", actor=owner, at=clock.now())
    assert "已经好了" in apply(agent, ticket, macro, shown).content.decode()
    with scope.staff():
        assert Ticket.objects.get().messages.count() == 2


def test_a_macro_that_resolves_sends_the_solution_once(agent, ticket, keep):
    macro = keep([{"kind": "reply", "body": "已处理"}, {"kind": "state", "to": "resolved"}])
    apply(agent, ticket, macro, agent.get(path(ticket, macro)))
    with scope.staff():
        fresh = Ticket.objects.get()
        assert (fresh.state, fresh.messages.count()) == ("resolved", 2)


def test_what_the_rules_refuse_is_said_before_anything_is_written(agent, ticket, keep):
    macro = keep([{"kind": "state", "to": "resolved"}])
    assert "客户正在等待回复" in agent.get(path(ticket, macro)).context["impossible"]
    empty = keep([{"kind": "reply", "body": "关于{{产品}}"}], name="产品")
    assert "变量 产品" in agent.get(path(ticket, empty)).context["impossible"]
    with scope.staff():
        assert Ticket.objects.get().messages.count() == 1


def test_a_severity_step_raises_and_shows_it(agent, ticket, keep):
    macro = keep([{"kind": "severity"}])
    shown = agent.get(path(ticket, macro))
    assert [(c.before, c.after) for c in shown.context["preview"].changes] == [("一般", "紧急")]
    apply(agent, ticket, macro, shown)
    with scope.staff():
        assert Ticket.objects.get().severity == "urgent"


def test_a_tag_step_adds_tags_and_keeps_those_that_are_there(cast, agent, ticket, keep):
    with scope.staff():
        first, second = Tag.objects.all()[:2]
        actor = cast.actor(cast.staff["team_lead"])
        ticket_tag_add(ticket_id=ticket.pk, tag_id=first.pk, actor=actor, at=clock.now())
    macro = keep([{"kind": "tags", "ids": [first.pk, second.pk]}])
    shown = agent.get(path(ticket, macro))
    (change,) = shown.context["preview"].changes
    assert (change.before, change.after) == (first.name, f"{first.name}、{second.name}")
    apply(agent, ticket, macro, shown)
    with scope.staff():
        assert set(TicketTag.objects.values_list("tag_id", flat=True)) == {first.pk, second.pk}


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [{"kind": "explode"}],
        [{"kind": "state", "to": "waiting"}],
        [{"kind": "state", "to": "waiting"}, {"kind": "note", "body": "内部备注不是回复"}],
        [{"kind": "state", "to": "closed"}],
        [{"kind": "reply", "body": " "}],
        [{"kind": "note", "body": "a"}, {"kind": "note", "body": "b"}],
        [{"kind": "assign", "to": "everybody"}],
        [{"kind": "tags", "ids": []}],
        [{"kind": "tags", "ids": ["x"]}],
        [{"kind": "reply", "body": "{{没有的变量}}"}],
        [{"kind": "reply", "body": "x", "body_en": "{{nothing}}"}],
    ],
)
def test_what_could_never_be_applied_is_not_kept(keep, steps):
    with pytest.raises(DomainError):
        keep(steps)
    with scope.staff():
        assert not Macro.objects.exists()


def test_waiting_needs_a_public_reply(keep):
    with pytest.raises(StepInvalid) as refused:
        keep([{"kind": "state", "to": "waiting"}])
    assert "公开回复" in str(refused.value.message)


def test_customers_who_read_english_get_the_english_text(cast, ticket, keep):
    macro = keep([{"kind": "reply", "body": "级别{{级别}}", "body_en": "Severity {{severity}}"}])
    with scope.staff():
        given = {"macro": macro, "kind": "reply", "actor": cast.actor(cast.staff["vip_agent"])}
        assert macro_text(ticket=ticket, at=clock.now(), **given) == "级别一般"
        ticket.actor.language = "en"
        assert macro_text(ticket=ticket, at=clock.now(), **given) == "Severity General"


def test_names_of_customers_are_text_and_stay_it(cast, agent, ticket, keep):
    macro = keep([{"kind": "reply", "body": "{{客户}}"}, {"kind": "note", "body": "x"}])
    with scope.staff():
        cast.huachen.name = "<b>{{agent}}</b>"
        cast.huachen.save()
    page = agent.get(path(ticket, macro)).content.decode()
    assert "&lt;b&gt;{{agent}}&lt;/b&gt;" in page
    assert "<b>{{" not in page


def test_the_menu_lists_the_teams_and_ones_own(agent, ticket, keep):
    keep(ASK, name="团队")
    keep([{"kind": "reply", "body": "您好"}], name="自己", owner="vip_agent")
    keep([{"kind": "reply", "body": "您好"}], name="别人", owner="engineer")
    listed = agent.get(reverse("tickets:console_macros", args=[ticket.number])).json()["macros"]
    assert [(row["name"], row["replies"]) for row in listed] == [("自己", True), ("团队", False)]


def test_a_canned_reply_is_text_for_the_composer(agent, ticket, keep):
    macro = keep([{"kind": "reply", "body": "工单 {{工单号}}"}])
    answer = agent.get(path(ticket, macro), {"text": "1"})
    assert answer.json() == {"text": f"工单 {ticket.number}"}
    macro = keep([{"kind": "reply", "body": "{{产品}}"}], name="空")
    refused = agent.get(path(ticket, macro), {"text": "1"})
    assert (refused.status_code, "产品" in refused.json()["error"]) == (409, True)


def test_who_may_keep_which(cast, client_for, agent, keep):
    team, theirs = keep(ASK), keep(ASK, owner="engineer")
    edit = lambda macro: reverse("tickets:macro_edit", args=[macro.pk])  # noqa: E731
    switch = lambda macro: reverse("tickets:macro_switch", args=[macro.pk])  # noqa: E731
    lead = client_for(cast.staff["team_lead"])
    assert [agent.get(edit(team)).status_code, agent.get(edit(theirs)).status_code] == [403, 404]
    assert agent.post(switch(team)).status_code == 403
    assert lead.get(edit(team)).status_code == 200
    assert lead.get(edit(theirs)).status_code == 404
    assert client_for(cast.owner).get(reverse("tickets:macro_list")).status_code == 404
    assert client_for(cast.staff["finance"]).get(reverse("tickets:macro_list")).status_code == 403
    lead.post(switch(team))
    with scope.staff():
        assert not Macro.objects.get(pk=team.pk).is_active


def test_a_disabled_macro_is_neither_offered_nor_applied(cast, client_for, agent, ticket, keep):
    macro = keep(ASK)
    client_for(cast.staff["team_lead"]).post(reverse("tickets:macro_switch", args=[macro.pk]))
    listed = agent.get(reverse("tickets:console_macros", args=[ticket.number])).json()["macros"]
    assert listed == []
    assert agent.get(path(ticket, macro)).status_code == 404


def test_the_form_makes_changes_and_audits_them(cast, client_for, agent):
    new = reverse("tickets:macro_new")
    fields = {"name": "问候", "shortcut": "/您好", "reply": "您好{{客户}}", "state": "waiting"}
    with scope.staff():
        fields["tags"] = [Tag.objects.first().pk]
    assert agent.post(new, {**fields, "is_team": "team"}).status_code == 302
    assert agent.post(new, fields).status_code == 400  # the name is taken
    wrong = agent.post(new, {**fields, "name": "错", "reply": "{{谁}}"})
    assert "没有名为 谁 的变量" in wrong.content.decode()
    with scope.staff():
        macro = Macro.objects.get()
        # An agent makes their own, whatever the form says.
        assert (macro.owner, macro.shortcut) == (cast.card("vip_agent"), "您好")
    edit = reverse("tickets:macro_edit", args=[macro.pk])
    initial = agent.get(edit).context["form"].initial
    assert (initial["state"], initial["tags"]) == ("waiting", fields["tags"])
    agent.post(edit, {**fields, "reply": "您好"})
    agent.post(reverse("tickets:macro_switch", args=[macro.pk]))
    with scope.staff():
        told = [
            (
                entry.action,
                entry.details.get("before") and entry.details["before"]["steps"][0]["body"],
            )
            for entry in AuditEntry.objects.order_by("pk")
        ]
    assert told == [
        ("tickets.macro_created", None),
        ("tickets.macro_changed", "您好{{客户}}"),
        ("tickets.macro_disabled", None),
    ]
    lead = client_for(cast.staff["team_lead"])
    assert lead.post(new, {**fields, "is_team": "team"}).status_code == 302
    with scope.staff():
        assert Macro.objects.filter(owner=None).count() == 1


def test_a_preview_that_fails_takes_everything_back(cast, ticket, keep):
    macro = keep([{"kind": "note", "body": "x"}, {"kind": "state", "to": "resolved"}])
    with scope.staff():
        with pytest.raises(DomainError):
            macro_preview(
                macro=macro,
                ticket=ticket,
                actor=cast.actor(cast.staff["vip_agent"]),
                at=clock.now(),
            )
        assert not TicketNote.objects.exists()
