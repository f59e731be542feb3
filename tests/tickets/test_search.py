"""Staff's search: what is found, by which index, how it is marked; filters, kept views, files."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import AuditEntry
from core import clock
from core.search import marked
from core.tenancy import scope
from supportplans.states import Severity
from tests.factories.tickets import submit, subscribe
from tests.queries import counted_queries
from tickets.models import SavedView, Tag, Ticket
from tickets.selectors import search, words
from tickets.selectors.search import Filters, tickets_found
from tickets.services.assignment import ticket_take
from tickets.services.replies import reply_add
from tickets.services.tags import ticket_tags_set

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(cast):
    now = clock.now()
    with scope.staff():
        subscribe(cast.huachen, at=now - timedelta(days=2))
        owner, agent = cast.actor(cast.owner), cast.actor(cast.staff["vip_agent"])
        first = submit(
            cast.huachen,
            owner,
            at=now - timedelta(hours=2),
            title="小程序登录失败",
            body="报错 Error 42",
        )
        second = submit(
            cast.huachen,
            owner,
            at=now - timedelta(hours=1),
            title="证书过期",
            severity=Severity.GENERAL,
        )
        third = submit(
            cast.yunfan,
            cast.actor(cast.other_owner),
            at=now,
            title="权限不足",
            body="无法登录控制台",
        )
        ticket_take(ticket_id=first.pk, actor=agent, at=now)
        reply_add(ticket_id=second.pk, body="请更新证书链", actor=agent, at=now)
    return first, second, third


def found(person, **query):
    answer = person.get(reverse("tickets:search"), query)
    assert answer.status_code == 200
    return [hit.ticket.title for hit in answer.context["hits"].rows]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("登录", ["权限不足", "小程序登录失败"]),
        ("程序", ["小程序登录失败"]),
        ("程登", []),
        ("error 42", ["小程序登录失败"]),
        ("证书链", ["证书过期"]),
        ("云帆", ["权限不足"]),
        ("登录 失败", ["小程序登录失败"]),
        ("“”", []),
    ],
)
def test_words_are_found_in_title_conversation_and_customer(
    cast, client_for, tickets, text, titles
):
    assert found(client_for(cast.staff["team_lead"]), q=text) == titles


def test_a_number_is_found(cast, client_for, tickets):
    lead = client_for(cast.staff["team_lead"])
    assert found(lead, q=tickets[1].number) == ["证书过期"]
    assert found(lead, q=tickets[1].number[:12]) == ["证书过期"]


def test_filters_narrow(cast, client_for, tickets):
    lead = client_for(cast.staff["team_lead"])
    with scope.staff():
        agent = str(cast.card("vip_agent").pk)
    today = f"{clock.local(clock.now()):%Y-%m-%d}"
    assert found(lead, severity="general") == ["证书过期"]
    assert found(lead, plan="standard") == ["权限不足"]
    assert found(lead, desk="vip") == ["证书过期", "小程序登录失败"]
    assert found(lead, state="open") == ["权限不足", "证书过期", "小程序登录失败"]
    assert found(lead, state="processing") == ["证书过期"]
    assert found(lead, assignee=agent) == ["证书过期", "小程序登录失败"]
    assert found(lead, assignee="none") == ["权限不足"]
    assert found(lead, since=today, until=today, q="权限") == ["权限不足"]
    assert found(lead, until="2020-01-01") == []
    with scope.staff():
        tag = Tag.objects.first()
        ticket_tags_set(
            ticket_id=tickets[0].pk,
            tag_ids=[tag.pk],
            actor=cast.actor(cast.staff["team_lead"]),
            at=clock.now(),
        )
    assert found(lead, tag=tag.pk) == ["小程序登录失败"]
    assert found(lead, q="登录", severity="general") == []


def test_who_answers_for_one_desk_finds_its_tickets_only(cast, client_for, tickets):
    agent = client_for(cast.staff["vip_agent"])
    assert found(agent, q="登录") == ["小程序登录失败"]
    assert found(agent, q="登录", desk="standard") == ["小程序登录失败"]


def test_days_that_run_backwards_are_said(cast, client_for, tickets):
    answer = client_for(cast.staff["team_lead"]).get(
        reverse("tickets:search"), {"since": "2026-02-02", "until": "2026-02-01"}
    )
    assert "截止日期不能早于起始日期" in answer.content.decode()


def test_finds_are_marked_and_escaped(cast, client_for):
    with scope.staff():
        owner = cast.actor(cast.owner)
        submit(
            cast.huachen, owner, at=clock.now(), title="<b>登录</b>", body="<script>登录</script>"
        )
    page = client_for(cast.staff["team_lead"]).get(reverse("tickets:search"), {"q": "登录"})
    text = page.content.decode()
    assert "&lt;b&gt;<mark>登录</mark>&lt;/b&gt;" in text
    assert "&lt;script&gt;<mark>登录</mark>&lt;/script&gt;" in text


@pytest.mark.parametrize(
    ("text", "wanted", "pieces"),
    [
        ("无法登录", "登录", [("无法", False), ("登录", True)]),
        ("ERROR 42", "error", [("ERROR", True), (" 42", False)]),
        ("ＥＲＲ or", "err", [("ＥＲＲ", True), (" or", False)]),
        ("abc", "", [("abc", False)]),
        ("a.c abc", "a.c", [("a", True), (".", False), ("c", True), (" ", False), ("a", True), ("b", False), ("c", True)]),
    ],
)  # fmt: skip
def test_marking(text, wanted, pieces):
    assert marked(text, wanted) == pieces


def test_a_snippet_shows_the_place_of_the_find():
    pieces = marked("前" * 100 + "登录" + "后" * 100, "登录", width=20)
    assert pieces == [
        ("…", False),
        ("前" * 5, False),
        ("登录", True),
        ("后" * 13, False),
        ("…", False),
    ]


def test_pages_go_on_by_key(cast, client_for, tickets, monkeypatch):
    monkeypatch.setattr(search, "PAGE_SIZE", 2)
    lead = client_for(cast.staff["team_lead"])
    first = lead.get(reverse("tickets:search"))
    after = first.context["hits"].next_after
    assert [hit.ticket.title for hit in first.context["hits"].rows] == ["权限不足", "证书过期"]
    assert found(lead, after=after) == ["小程序登录失败"]
    assert len(found(lead, after="nonsense")) == len(found(lead, after="9" * 30)) == 2


def test_staffs_search_uses_the_indexes_of_words(cast, tickets, as_staff):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # what a full table makes too dear
        cursor.execute("SET LOCAL enable_indexscan = off")
    plan = tickets_found(Filters(text="登录"))[:50].explain()
    assert "ticket_search" in plan
    assert "ticket_message_search" in plan


def test_frequent_words_are_looked_for_in_the_newest_tickets_first(
    cast, client_for, tickets, monkeypatch
):
    lead, wanted = client_for(cast.staff["team_lead"]), ("登录", "云帆", "证书", "程登")
    rare = [found(lead, q=text) for text in wanted]
    monkeypatch.setattr(words, "FREQUENT", 0)
    assert [found(lead, q=text) for text in wanted] == rare
    monkeypatch.setattr(search, "PAGE_SIZE", 1)  # two finds fill it, and say that there is more
    with counted_queries() as queries, scope.staff():
        search.search_page(Filters(text="登录"))
    assert not any("UNION" in sql for sql in queries)
    # Not to be found among the newest: the indexes are asked after all.
    monkeypatch.setattr(words, "NEWEST", 1)
    monkeypatch.setattr(search, "PAGE_SIZE", 50)
    assert [found(lead, q=text) for text in wanted] == rare


def test_views_are_kept_with_counters_that_stop(cast, client_for, tickets, monkeypatch):
    monkeypatch.setattr(search, "COUNT_CAP", 1)
    agent = client_for(cast.staff["vip_agent"])
    save = reverse("tickets:view_save")
    agent.post(f"{save}?severity=general", {"name": "一般"})
    agent.post(f"{save}?state=open", {"name": "未解决", "is_shared": "on"})
    agent.post(
        f"{save}?state=open&severity=urgent", {"name": "未解决"}
    )  # again: the new filters count
    views = agent.get(reverse("tickets:search")).context["views"]
    assert [(view.name, count) for view, count, _ in views] == [("一般", "1"), ("未解决", "1")]
    with scope.staff():
        assert not SavedView.objects.filter(is_shared=True).exists()  # leads share
    lead = client_for(cast.staff["team_lead"])
    lead.post(f"{save}?state=open", {"name": "全队未解决", "is_shared": "on"})
    views = lead.get(reverse("tickets:search")).context["views"]
    assert [(view.name, count) for view, count, _ in views] == [("全队未解决", "1+")]
    views = agent.get(reverse("tickets:search")).context["views"]
    assert [view.name for view, *_ in views] == ["一般", "未解决", "全队未解决"]
    with scope.staff():
        assert AuditEntry.objects.filter(action="tickets.view_share").count() == 1


def test_a_view_is_deleted_by_its_owner(cast, client_for, tickets):
    lead, agent = client_for(cast.staff["team_lead"]), client_for(cast.staff["vip_agent"])
    lead.post(f"{reverse('tickets:view_save')}?state=open", {"name": "共用", "is_shared": "on"})
    with scope.staff():
        path = reverse("tickets:view_delete", args=[SavedView.objects.get().pk])
    assert "只能删除自己保存的视图" in agent.post(path, follow=True).content.decode()
    lead.post(path)
    with scope.staff():
        assert not SavedView.objects.exists()


def test_a_view_needs_a_name_and_readable_filters(cast, client_for, tickets):
    lead, save = client_for(cast.staff["team_lead"]), reverse("tickets:view_save")
    assert "请填写视图名称" in lead.post(f"{save}?state=open", follow=True).content.decode()
    wrong = lead.post(f"{save}?severity=x", {"name": "x"}, follow=True)
    assert "请先改正筛选条件" in wrong.content.decode()


def test_at_most_twenty_views(cast, client_for, tickets):
    agent, save = client_for(cast.staff["vip_agent"]), reverse("tickets:view_save")
    for number in range(20):
        agent.post(f"{save}?state=open", {"name": f"视图{number}"})
    answer = agent.post(f"{save}?state=open", {"name": "多"}, follow=True)
    assert "最多保存 20 个视图" in answer.content.decode()


def test_what_was_found_as_a_file_with_an_entry_in_the_audit_trail(cast, client_for, tickets):
    agent = client_for(cast.staff["vip_agent"])
    answer = agent.get(reverse("tickets:search_export"), {"q": "登录"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row[1] for row in rows] == ["标题", "小程序登录失败"]
    with scope.staff():
        entry = AuditEntry.objects.get(action="tickets.export")
        assert (entry.details["rows"], entry.details["filters"]) == (1, {"q": "登录"})
        assert entry.actor_name == "VIP 专席"
    xlsx = agent.get(reverse("tickets:search_export"), {"format": "xlsx"})
    assert xlsx.content.startswith(b"PK")
    assert agent.get(reverse("tickets:search_export"), {"severity": "x"}).status_code == 302


def test_a_file_stops_at_its_most_rows(cast, client_for, tickets, monkeypatch):
    monkeypatch.setattr(search, "EXPORT_MOST", 2)
    answer = client_for(cast.staff["team_lead"]).get(reverse("tickets:search_export"))
    assert len(answer.content.decode("utf-8-sig").splitlines()) == 3


@pytest.mark.parametrize(
    ("name", "method"), [("search", "get"), ("search_export", "get"), ("view_save", "post")]
)
def test_who_searches(cast, client_for, tickets, name, method):
    path = reverse(f"tickets:{name}")
    assert getattr(client_for(cast.owner), method)(path).status_code == 404
    assert getattr(client_for(cast.staff["finance"]), method)(path).status_code == 403
    other = "post" if method == "get" else "get"
    assert getattr(client_for(cast.staff["engineer"]), other)(path).status_code == 405


def test_the_search_asks_the_database_little(cast, client_for, tickets, max_queries):
    lead, path = client_for(cast.staff["team_lead"]), reverse("tickets:search")
    for number in range(5):
        lead.post(f"{reverse('tickets:view_save')}?state=open", {"name": f"视图{number}"})
    lead.get(path)
    with max_queries(11):
        assert lead.get(path, {"q": "登录"}).status_code == 200
    with scope.staff():
        assert Ticket.objects.count() == 3
