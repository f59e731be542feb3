"""The submit form while it is typed: drafts, look-alikes, articles, templates, secrets."""

import logging
from datetime import timedelta

import pytest
from django.urls import reverse

from core import clock
from core.tenancy import scope
from supportplans.models import ProductLine
from tests.factories.tickets import submit
from tickets.models import Ticket, TicketDraft
from tickets.selectors.drafts import tickets_alike
from tickets.services.drafts import DRAFTS_MAX, draft_save
from tickets.services.tickets import ticket_confirm

NEW = reverse("tickets:ticket_new")
SAVE = reverse("tickets:draft_save")
LIST = reverse("tickets:ticket_list")
SECRET = "密码：Hunter2@2026"


@pytest.fixture
def ecs(cast):
    with scope.staff():
        return ProductLine.objects.get(code="ecs")


def typed(ecs, **changes):
    return {
        "key": "form-1",
        "effect": "unavailable",
        "kind": "technical",
        "product_line": ecs.pk,
        "title": "云主机无法连接",
        "body": "从 10 点起 SSH 超时",
        **changes,
    }


class TestDrafts:
    def test_survive_a_reload_and_another_device(self, cast, client_for, ecs):
        answer = client_for(cast.member).post(SAVE, typed(ecs))
        assert answer.headers["HX-Replace-Url"] == f"{NEW}?draft=form-1"
        assert "自动保存" in answer.content.decode()
        elsewhere = client_for(cast.member)
        page = elsewhere.get(NEW, {"draft": "form-1"}).content.decode()
        assert "从 10 点起 SSH 超时" in page
        assert 'value="unavailable" checked' in page
        assert 'value="form-1"' in page
        assert "云主机无法连接" in elsewhere.get(LIST).content.decode()

    def test_are_their_writers_alone(self, cast, client_for, ecs):
        client_for(cast.member).post(SAVE, typed(ecs))
        for person in (cast.owner, cast.other_owner):
            client = client_for(person)
            assert client.get(NEW, {"draft": "form-1"}).status_code == 404
            assert "云主机无法连接" not in client.get(LIST).content.decode()
            discard = reverse("tickets:draft_discard", args=["form-1"])
            assert client.post(discard).status_code == 404

    def test_end_with_the_submission_and_no_late_save_brings_them_back(self, cast, client_for, ecs):
        member = client_for(cast.member)
        member.post(SAVE, typed(ecs))
        assert member.post(NEW, typed(ecs)).status_code == 302
        late = member.post(SAVE, typed(ecs, body="更多"))
        assert "HX-Replace-Url" not in late.headers
        assert member.get(LIST).context["drafts"].count() == 0
        with scope.customer(cast.huachen.pk):
            assert TicketDraft.objects.get().content == {}

    def test_can_be_discarded_and_are_kept_without_scripts(self, cast, client_for, ecs):
        member = client_for(cast.member)
        member.post(NEW, typed(ecs, title="", action="draft"))
        assert "（未填写标题）" in member.get(LIST).content.decode()
        member.post(reverse("tickets:draft_discard", args=["form-1"]))
        assert member.get(LIST).context["drafts"].count() == 0
        with scope.staff():
            assert not Ticket.objects.exists()

    def test_nothing_typed_is_no_draft_and_there_are_not_too_many(self, cast, client_for, ecs):
        client_for(cast.member).post(SAVE, typed(ecs, title=" ", body=""))
        with scope.customer(cast.huachen.pk):
            assert not TicketDraft.objects.exists()
            for number in range(DRAFTS_MAX + 2):
                draft_save(
                    tenant_id=cast.huachen.pk,
                    key=f"k{number}",
                    content={"title": f"第 {number} 个"},
                    actor=cast.actor(cast.member),
                    at=clock.now() + timedelta(seconds=number),
                )
            left = TicketDraft.objects.filter(ended_at=None)
            assert left.count() == DRAFTS_MAX
            assert not left.filter(key__in=["k0", "k1"]).exists()


class TestLookAlikes:
    def test_the_tenants_own_open_tickets_are_shown_before_sending(self, cast, client_for, ecs):
        now = clock.now()
        with scope.staff():
            own = submit(cast.huachen, cast.actor(cast.owner), at=now, title="云主机无法 SSH 连接")
            submit(cast.huachen, cast.actor(cast.owner), at=now, title="发票抬头修改")
            submit(cast.yunfan, cast.actor(cast.other_owner), at=now, title="云主机无法连接")
        page = client_for(cast.member).post(SAVE, typed(ecs)).content.decode()
        assert page.count("/support/tickets/26") <= 1
        assert own.number in page
        assert "发票抬头修改" not in page

    def test_closed_ones_are_not_and_the_same_resource_is(self, cast, django_assert_num_queries):
        with scope.staff():
            actor = cast.actor(cast.owner)
            closed = submit(cast.huachen, actor, at=clock.now(), title="云主机无法连接")
            ticket_confirm(ticket_id=closed.pk, actor=actor, at=clock.now())
            other = submit(cast.huachen, actor, at=clock.now(), title="磁盘报错", resource="ecs-7f")
        with scope.customer(cast.huachen.pk):
            with django_assert_num_queries(1):
                found = tickets_alike(cast.huachen.pk, title="云主机无法连接", resource="ECS-7F")
            assert found == [other]


def test_articles_are_offered_by_title_and_product(cast, client_for):
    owner = client_for(cast.owner)
    hints = reverse("onlineservice:article_hints")
    assert (
        "提交工单与紧急程度" in owner.get(hints, {"title": "工单紧急程度怎么选"}).content.decode()
    )
    with scope.staff():
        filing = ProductLine.objects.get(code="ecs")
    assert owner.get(hints, {"title": "", "product_line": filing.pk}).status_code == 200
    assert owner.get(hints, {"title": "，", "product_line": "x"}).content.decode().strip() == ""


def test_the_description_starts_with_the_products_questions_and_nothing_typed_is_lost(
    cast, client_for, ecs
):
    owner = client_for(cast.owner)
    path = reverse("tickets:ticket_template")
    filled = owner.post(path, {"product_line": ecs.pk, "body": ""}).content.decode()
    assert "云主机实例 ID" in filled
    assert "首次出现时间" in filled
    with scope.staff():
        rds = ProductLine.objects.get(code="rds")
    template = filled.split(">", 1)[1].rsplit("<", 1)[0]
    again = owner.post(path, {"product_line": rds.pk, "body": template})
    assert "数据库实例 ID" in again.content.decode()
    assert owner.post(path, {"product_line": rds.pk, "body": "10 点起"}).status_code == 204


class TestSecrets:
    def test_are_asked_about_once_and_never_logged(self, cast, client_for, ecs, caplog):
        caplog.set_level(logging.DEBUG)
        member = client_for(cast.member)
        page = member.post(NEW, typed(ecs, body=SECRET)).content.decode()
        assert "内容看起来含有密码" in page
        with scope.staff():
            assert not Ticket.objects.exists()
        sent = member.post(NEW, typed(ecs, body=SECRET, acknowledged="on"))
        assert sent.status_code == 302
        assert "Hunter2" not in caplog.text

    def test_are_shown_while_typing(self, cast, client_for, ecs):
        page = client_for(cast.member).post(SAVE, typed(ecs, body=SECRET)).content.decode()
        assert "请删除后再发送" in page
        assert "Hunter2" not in page

    def test_are_asked_about_in_replies_too(self, cast, client_for, ecs):
        with scope.staff():
            ticket = submit(cast.huachen, cast.actor(cast.owner), at=clock.now())
        owner = client_for(cast.owner)
        path = reverse("tickets:reply_create", args=[ticket.number])
        refused = owner.post(path, {"body": SECRET})
        assert refused.status_code == 400
        assert 'name="acknowledged"' in refused.content.decode()
        assert owner.post(path, {"body": SECRET, "acknowledged": "on"}).status_code == 302
