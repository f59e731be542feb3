"""A customer's pages: submit, list, one ticket; whose they are and who may not see them."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from core import clock
from core.tenancy import scope
from supportplans.models import ProductLine
from supportplans.states import Severity
from tests.factories.tickets import open_window, submit, subscribe
from tickets.models import Attachment, Rating, Ticket, TicketCategory, TicketMessage
from tickets.services.replies import note_add, reply_add
from tickets.services.tickets import ticket_resolve


@pytest.fixture
def filled(cast):
    with scope.staff():
        call_command("load_ticket_categories", verbosity=0)
        return {
            "effect": "unavailable",
            "kind": "technical",
            "product_line": ProductLine.objects.get(code="ecs").pk,
            "category": TicketCategory.objects.get(code="tech_network").pk,
            "title": "数据库无法连接",
            "resource": "rds-7f2c19",
            "body": "从 10 点起连接超时",
            "key": "form-1",
        }


@pytest.fixture
def ticket(cast):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
        return submit(cast.huachen, cast.actor(cast.owner), at=clock.now())


def solved(cast, ticket):
    agent = cast.actor(cast.staff["vip_agent"])
    with scope.staff():
        ticket_resolve(ticket_id=ticket.pk, actor=agent, at=clock.now(), body="已修复")


def test_the_form_shows_the_target_of_this_account_now(cast, client_for):
    owner = client_for(cast.owner)
    assert "30 分钟内响应" in owner.get(reverse("tickets:ticket_new")).content.decode()
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
    page = owner.get(reverse("tickets:ticket_new")).content.decode()
    assert "10 分钟内响应" in page
    assert "30 分钟内响应" in page
    now = clock.now()
    with scope.staff():
        open_window(cast.huachen, 1, starts=now, ends=now.replace(year=now.year + 1))
    page = owner.get(reverse("tickets:ticket_new")).content.decode()
    assert "30 分钟内响应" not in page


def test_submitting_twice_makes_one_ticket(cast, client_for, filled):
    member = client_for(cast.member)
    first = member.post(reverse("tickets:ticket_new"), filled)
    second = member.post(reverse("tickets:ticket_new"), filled)
    assert first.status_code == second.status_code == 302
    assert first.url == second.url
    with scope.staff():
        ticket = Ticket.objects.get()
        assert (ticket.severity, ticket.effect) == ("urgent", "unavailable")
        assert ticket.actor_name == "赵磊"
    assert "数据库无法连接" in member.get(first.url).content.decode()


def test_what_was_typed_stays_when_something_is_missing(cast, client_for, filled):
    answer = client_for(cast.owner).post(
        reverse("tickets:ticket_new"), {**filled, "title": "", "product_line": ""}
    )
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "从 10 点起连接超时" in page
    assert 'value="unavailable" checked' in page
    assert 'value="form-1"' in page
    with scope.staff():
        assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("page.html", b"<html><script>alert(1)</script></html>", "不支持该文件类型"),
        ("photo.png", b"%PDF-1.7 not a picture", "不支持该文件类型"),
        ("empty.log", b"", "空"),
    ],
)
def test_a_bad_file_is_refused_beside_its_field(cast, client_for, filled, name, content, words):
    upload = SimpleUploadedFile(name, content)
    answer = client_for(cast.owner).post(
        reverse("tickets:ticket_new"), {**filled, "attachments": [upload]}
    )
    assert words in answer.content.decode()
    with scope.staff():
        assert not Ticket.objects.exists()


def test_a_file_is_kept_and_handed_out_as_a_download_to_its_tenant_only(
    cast, client_for, filled, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    upload = SimpleUploadedFile("流量.log", "10.0.2.15 超时".encode())
    owner = client_for(cast.owner)
    owner.post(reverse("tickets:ticket_new"), {**filled, "attachments": [upload]})
    with scope.staff():
        kept = Attachment.objects.get()
    path = reverse("tickets:attachment_download", args=[kept.pk])
    answer = owner.get(path)
    assert b"".join(answer.streaming_content).decode() == "10.0.2.15 超时"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client_for(cast.other_owner).get(path).status_code == 404
    staff_path = reverse("tickets:console_attachment", args=[kept.pk])
    assert client_for(cast.staff["vip_agent"]).get(staff_path).status_code == 200
    assert owner.get(staff_path).status_code == 404


def test_the_page_says_the_promise_and_how_it_was_kept(cast, client_for, ticket):
    owner = client_for(cast.owner)
    page = owner.get(ticket.get_absolute_url()).content.decode()
    due = clock.local(ticket.due_at)
    assert f"首次响应 {due:%H:%M} 前" in page
    assert "已按企业级权益转入VIP 专席，首次响应目标 10 分钟" in page
    with scope.staff():
        agent = cast.actor(cast.staff["vip_agent"])
        at = ticket.created_at.replace(microsecond=0) + (ticket.due_at - ticket.created_at) * 0.62
        at += ticket.created_at - ticket.created_at.replace(microsecond=0)
        reply_add(ticket_id=ticket.pk, body="您好，正在检查", actor=agent, at=at)
    page = owner.get(ticket.get_absolute_url()).content.decode()
    assert "已于 6 分 12 秒响应" in page
    assert "您好，正在检查" in page


def test_a_late_answer_is_said_in_plain_words(cast, client_for, ticket):
    with scope.staff():
        Ticket.objects.update(created_at=ticket.created_at)
        ticket.clocks.update(
            started_at=ticket.created_at - (ticket.due_at - ticket.created_at) * 2,
            due_at=ticket.created_at - (ticket.due_at - ticket.created_at),
        )
    page = client_for(cast.owner).get(ticket.get_absolute_url()).content.decode()
    assert "我们未能在 10 分钟内响应，非常抱歉" in page


def test_notes_never_reach_a_customer(cast, client_for, ticket):
    with scope.staff():
        agent = cast.actor(cast.staff["vip_agent"])
        note_add(ticket_id=ticket.pk, body="客户配置有误，绝密", actor=agent, at=clock.now())
    owner = client_for(cast.owner)
    pages = [
        ticket.get_absolute_url(),
        reverse("tickets:ticket_live", args=[ticket.number]) + "?version=-1",
        reverse("tickets:ticket_list") + "?q=绝密",
        f"/api/v1/tickets/{ticket.number}/",
    ]
    for path in pages:
        answer = owner.get(path)
        assert answer.status_code == 200
        assert "客户配置有误" not in answer.content.decode()


def test_the_conversation_is_polled_by_its_version(cast, client_for, ticket):
    owner = client_for(cast.owner)
    version = owner.get(ticket.get_absolute_url()).context["version"]
    path = reverse("tickets:ticket_live", args=[ticket.number])
    assert owner.get(path, {"version": version}).status_code == 204


def test_a_reply_by_another_makes_the_poll_answer(
    cast, client_for, ticket, django_capture_on_commit_callbacks
):
    owner = client_for(cast.owner)
    version = owner.get(ticket.get_absolute_url()).context["version"]
    agent = cast.actor(cast.staff["vip_agent"])
    with scope.staff(), django_capture_on_commit_callbacks(execute=True):
        reply_add(ticket_id=ticket.pk, body="新的进展", actor=agent, at=clock.now())
    path = reverse("tickets:ticket_live", args=[ticket.number])
    answer = owner.get(path, {"version": version})
    assert answer.status_code == 200
    assert "新的进展" in answer.content.decode()
    assert 'hx-swap-oob="true"' in answer.content.decode()


def test_the_customer_replies_confirms_rates_and_reopens(cast, client_for, ticket):
    member = client_for(cast.member)
    reply = reverse("tickets:reply_create", args=[ticket.number])
    assert member.post(reply, {"body": "补充", "key": "a"}).status_code == 302
    assert member.post(reply, {"body": "补充", "key": "a"}).status_code == 302
    assert member.post(reply, {"body": " "}).status_code == 400
    solved(cast, ticket)
    rate = reverse("tickets:ticket_rate", args=[ticket.number])
    assert member.post(rate, {"score": "6"}).status_code == 400
    assert member.post(rate, {"score": "4", "comment": "很快"}).status_code == 302
    assert member.post(rate, {"score": "1"}).status_code == 400
    member.post(reverse("tickets:ticket_confirm", args=[ticket.number]))
    with scope.staff():
        assert Rating.objects.get().score == 4
        assert TicketMessage.objects.filter(body="补充").count() == 1
        assert Ticket.objects.get().state == "closed"
    reopen = reverse("tickets:ticket_reopen", args=[ticket.number])
    assert member.post(reopen, {"body": "又出现"}).status_code == 302
    with scope.staff():
        assert Ticket.objects.get().state == "processing"


def test_a_general_ticket_can_be_raised_once(cast, client_for):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now())
        ticket = submit(
            cast.huachen, cast.actor(cast.owner), at=clock.now(), severity=Severity.GENERAL
        )
    owner = client_for(cast.owner)
    path = reverse("tickets:severity_raise", args=[ticket.number])
    assert owner.post(path).status_code == 302
    answer = owner.post(path, follow=True)
    assert "工单状态已变化" in answer.content.decode()
    with scope.staff():
        assert Ticket.objects.get().severity == "urgent"


def test_the_list_goes_by_whose_turn_it_is_and_finds_two_characters(cast, client_for, ticket):
    with scope.staff():
        submit(cast.huachen, cast.actor(cast.owner), at=clock.now(), title="备案咨询", body="材料")
        submit(cast.yunfan, cast.actor(cast.other_owner), at=clock.now(), title="备案别人")
    solved(cast, ticket)
    owner = client_for(cast.owner)
    path = reverse("tickets:ticket_list")
    titles = lambda **query: [row.title for row in owner.get(path, query).context["page"]]  # noqa: E731
    assert titles() == ["备案咨询", ticket.title]
    assert titles(turn="yours") == [ticket.title]
    assert titles(turn="ours") == ["备案咨询"]
    assert titles(q="备案") == ["备案咨询"]
    assert titles(q="云主") == [ticket.title]  # in the conversation
    assert titles(q=ticket.number) == [ticket.title]
    assert titles(q="ecs") == [ticket.title]
    assert titles(q="，。") == []


@pytest.mark.parametrize("name", ["ticket_detail", "ticket_live"])
def test_others_find_no_such_ticket(cast, client_for, ticket, name):
    path = reverse(f"tickets:{name}", args=[ticket.number])
    assert client_for(cast.other_owner).get(path).status_code == 404
    assert client_for(cast.staff["vip_agent"]).get(path).status_code == 404
    missing = reverse(f"tickets:{name}", args=["0"])
    assert client_for(cast.owner).get(missing).status_code == 404


@pytest.mark.parametrize(
    "name", ["reply_create", "ticket_confirm", "ticket_reopen", "severity_raise", "ticket_rate"]
)
def test_others_change_nothing_and_reading_is_no_way_to_change(cast, client_for, ticket, name):
    path = reverse(f"tickets:{name}", args=[ticket.number])
    assert client_for(cast.other_owner).post(path, {"body": "x", "score": 5}).status_code == 404
    assert client_for(cast.owner).get(path).status_code == 405
    with scope.staff():
        fresh = Ticket.objects.get()
        assert (fresh.state, fresh.severity) == ("new", "urgent")
        assert fresh.messages.count() == 1


def test_pages_ask_the_database_little(cast, client_for, ticket, max_queries):
    owner = client_for(cast.owner)
    for path in (
        reverse("tickets:ticket_list"),
        reverse("tickets:ticket_new"),
        ticket.get_absolute_url(),
    ):
        owner.get(path)
        with max_queries(12):
            assert owner.get(path).status_code == 200
