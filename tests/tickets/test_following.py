"""Urging, watching, recalling: the customer's side of a ticket between replies."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.utils import ProgrammingError
from django.urls import reverse

from accounts.models import Membership
from core import clock
from core.tenancy import scope
from messaging.models import Delivery
from supportplans.states import Severity
from tests.factories.tickets import NOW, minutes, submit, subscribe
from tickets.exceptions import (
    RecallRefused,
    RecallTooLate,
    TicketMoveRefused,
    UrgeTooEarly,
    WatcherUnfit,
)
from tickets.models import Attachment, Clock, Ticket, TicketEvent, TicketMessage, Watcher
from tickets.services.merging import ticket_merge
from tickets.services.recalls import message_recall
from tickets.services.replies import reply_add
from tickets.services.splitting import ticket_split
from tickets.services.tickets import ticket_resolve
from tickets.services.urges import ticket_urge
from tickets.services.watchers import watcher_add, watcher_remove


@pytest.fixture
def ticket(cast):
    with scope.staff():
        subscribe(cast.huachen, at=NOW - timedelta(days=1))
        return submit(cast.huachen, cast.actor(cast.owner))


@pytest.fixture
def agent(cast):
    return cast.actor(cast.staff["vip_agent"])


def answer(ticket, agent, at, **words):
    with scope.staff():
        return reply_add(ticket_id=ticket.pk, body="正在检查", actor=agent, at=at, **words)


def say(cast, ticket, at, body="还是不行", actor=None):
    with scope.customer(cast.huachen.pk):
        reply_add(ticket_id=ticket.pk, body=body, actor=actor or cast.actor(cast.owner), at=at)
        return TicketMessage.objects.latest("pk")


def recall(cast, ticket, message, at, person=None):
    with scope.customer(cast.huachen.pk):
        return message_recall(
            ticket_id=ticket.pk,
            message_id=message.pk,
            actor=cast.actor(person or cast.owner),
            at=at,
        )


class TestUrging:
    def urge(self, cast, ticket, at):
        with scope.customer(cast.huachen.pk):
            return ticket_urge(ticket_id=ticket.pk, actor=cast.actor(cast.member), at=at)

    def test_once_per_target_period_since_the_submission_and_the_last_urge(self, cast, ticket):
        with pytest.raises(UrgeTooEarly, match="11-23 10:12"):
            self.urge(cast, ticket, minutes(9.9))
        assert self.urge(cast, ticket, minutes(10)).urged_at == minutes(10)
        with pytest.raises(UrgeTooEarly, match="11-23 10:22"):
            self.urge(cast, ticket, minutes(19.9))
        self.urge(cast, ticket, minutes(20))
        with scope.staff():
            assert TicketEvent.objects.filter(kind="urged").count() == 2
            assert Clock.objects.get().due_at == minutes(10)  # no clock changes

    def test_the_team_lead_is_told_until_somebody_has_it(
        self, cast, ticket, agent, run_jobs, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            self.urge(cast, ticket, minutes(10))
            answer(ticket, agent, minutes(11))
            say(cast, ticket, minutes(12))
            self.urge(cast, ticket, minutes(22))
        run_jobs()
        with scope.staff():
            told = Delivery.objects.filter(message__kind="tickets.urged").order_by("pk")
            assert [row.recipient for row in told] == [cast.staff["team_lead"], agent.user]
            assert "催促工单" in told[0].text

    def test_the_chip_stays_until_staff_answers(self, cast, ticket, agent):
        assert self.urge(cast, ticket, minutes(10)).is_urged
        answer(ticket, agent, minutes(11))
        with scope.staff():
            fresh = Ticket.objects.get()
            assert not fresh.is_urged

    def test_not_while_it_is_the_customers_turn(self, cast, ticket, agent):
        answer(ticket, agent, minutes(3), wait=True)
        with pytest.raises(TicketMoveRefused):
            self.urge(cast, ticket, minutes(60))

    def test_the_button_says_when_and_agents_see_the_chip(self, cast, client_for):
        with scope.staff():
            ticket = submit(
                cast.huachen,
                cast.actor(cast.owner),
                at=clock.now() - timedelta(minutes=31),
                severity=Severity.URGENT,
            )
        owner = client_for(cast.owner)
        page = owner.get(ticket.get_absolute_url()).content.decode()
        assert ">催单</button>" in page.replace("</svg>", "</svg>")
        owner.post(reverse("tickets:ticket_urge", args=[ticket.number]))
        page = owner.get(ticket.get_absolute_url()).content.decode()
        assert "起可催单" in page
        assert "已催单" in page
        again = owner.post(reverse("tickets:ticket_urge", args=[ticket.number]), follow=True)
        assert "起可以催单" in again.content.decode()
        console = client_for(cast.staff["customer_service"])
        path = reverse("tickets:console_ticket", args=[ticket.number])
        assert "催单" in console.get(path).content.decode()


class TestWatching:
    def add(self, cast, ticket, person, at=NOW):
        with scope.customer(cast.huachen.pk):
            return watcher_add(
                ticket_id=ticket.pk, user_id=person.pk, actor=cast.actor(cast.owner), at=at
            )

    def test_watchers_are_told_of_replies_and_solutions_and_when_they_were_added(
        self, cast, ticket, agent, run_jobs, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            self.add(cast, ticket, cast.member)
            self.add(cast, ticket, cast.member)
            answer(ticket, agent, minutes(3))
            with scope.staff():
                ticket_resolve(ticket_id=ticket.pk, body="已恢复", actor=agent, at=minutes(9))
        run_jobs()
        with scope.staff():
            told = Delivery.objects.filter(recipient=cast.member, channel="inbox")
            kinds = sorted(told.values_list("message__kind", flat=True))
        assert kinds == [
            "tickets.replied",
            "tickets.replied",
            "tickets.resolved",
            "tickets.watching",
        ]

    @pytest.mark.parametrize("gone", ["removed", "left the customer"])
    def test_who_follows_no_longer_is_not_told(
        self, cast, ticket, agent, gone, run_jobs, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            self.add(cast, ticket, cast.member)
            if gone == "removed":
                with scope.customer(cast.huachen.pk):
                    watcher_remove(
                        ticket_id=ticket.pk,
                        user_id=cast.member.pk,
                        actor=cast.actor(cast.member),
                        at=minutes(1),
                    )
            else:
                with scope.staff():
                    Membership.objects.filter(user=cast.member).update(is_active=False)
            answer(ticket, agent, minutes(3))
        run_jobs()
        with scope.staff():
            replied = Delivery.objects.filter(message__kind="tickets.replied", channel="inbox")
            assert [row.recipient for row in replied] == [cast.owner]

    def test_a_removed_watcher_can_be_added_again(self, cast, ticket):
        self.add(cast, ticket, cast.member)
        with scope.customer(cast.huachen.pk):
            watcher_remove(
                ticket_id=ticket.pk,
                user_id=cast.member.pk,
                actor=cast.actor(cast.owner),
                at=minutes(1),
            )
        self.add(cast, ticket, cast.member, minutes(2))
        with scope.staff():
            assert Watcher.objects.get().removed_at is None

    @pytest.mark.parametrize("who", ["other_owner", "outsider", "staff"])
    def test_only_authorised_people_of_the_customer(self, cast, ticket, who):
        person = cast.staff["vip_agent"] if who == "staff" else getattr(cast, who)
        with pytest.raises(WatcherUnfit):
            self.add(cast, ticket, person)

    def test_the_page_adds_and_removes(self, cast, client_for, ticket):
        owner = client_for(cast.owner)
        add = reverse("tickets:watcher_add", args=[ticket.number])
        page = owner.post(add, {"user": cast.member.pk}, follow=True).content.decode()
        assert "移出 赵磊" in page
        assert "李明 将 赵磊 添加为关注人" in page
        page = owner.post(add, {"user": cast.other_owner.pk}, follow=True).content.decode()
        assert "只能添加本账号的授权员工" in page
        page = owner.post(add, {"user": ""}, follow=True).content.decode()
        assert "请选择要添加的授权员工" in page
        remove = reverse("tickets:watcher_remove", args=[ticket.number, cast.member.pk])
        assert "移出 赵磊" not in owner.post(remove, follow=True).content.decode()
        assert client_for(cast.other_owner).post(remove).status_code == 404


class TestRecalling:
    def test_the_text_is_gone_for_everyone_and_both_see_that_it_was_recalled(
        self, cast, client_for, ticket
    ):
        now = clock.now()
        message = say(cast, ticket, now, body="口令是 hunter2hunter2")
        owner = client_for(cast.owner)
        assert ">撤回<" in owner.get(ticket.get_absolute_url()).content.decode()
        path = reverse("tickets:message_recall", args=[ticket.number, message.pk])
        page = owner.post(path, follow=True).content.decode()
        console = client_for(cast.staff["vip_agent"])
        staff_page = console.get(reverse("tickets:console_ticket", args=[ticket.number]))
        api = owner.get(f"/api/v1/tickets/{ticket.number}/").content.decode()
        for seen in (page, staff_page.content.decode()):
            assert "此消息已撤回" in seen
            assert "hunter2" not in seen
        assert "hunter2" not in api
        with scope.staff():
            kept = TicketMessage.objects.get(pk=message.pk)
            assert (kept.body, kept.search, bool(kept.recalled_at)) == ("", None, True)
            queue = console.get(reverse("tickets:console"), {"q": "hunter2hunter2"})
        assert ticket.number not in queue.content.decode()

    def test_only_ones_own_and_for_two_minutes(self, cast, ticket, agent):
        message = say(cast, ticket, minutes(1))
        with pytest.raises(RecallRefused):
            recall(cast, ticket, message, minutes(2), cast.administrator)
        with pytest.raises(RecallTooLate):
            recall(cast, ticket, message, minutes(3.1))
        answer(ticket, agent, minutes(4))
        with scope.staff():
            theirs = TicketMessage.objects.latest("pk")
            with pytest.raises(RecallRefused):
                message_recall(
                    ticket_id=ticket.pk, message_id=theirs.pk, actor=agent, at=minutes(4)
                )

    def test_a_silence_ends_when_its_only_word_is_taken_back(self, cast, ticket, agent):
        answer(ticket, agent, minutes(3))
        message = say(cast, ticket, minutes(20))
        assert recall(cast, ticket, message, minutes(21)).due_at is None
        with scope.staff():
            clock_ = Clock.objects.get(kind="next")
            assert (clock_.outcome, clock_.stopped_at) == ("withdrawn", minutes(21))

    def test_the_clock_runs_on_while_another_word_is_unanswered(self, cast, ticket, agent):
        answer(ticket, agent, minutes(3))
        first = say(cast, ticket, minutes(20))
        say(cast, ticket, minutes(21))
        assert recall(cast, ticket, first, minutes(21.5)).due_at == minutes(30)
        with scope.staff():
            assert Clock.objects.get(kind="next").stopped_at is None

    def test_the_first_response_stays_due_when_the_description_is_recalled(self, cast, ticket):
        with scope.staff():
            first = TicketMessage.objects.get()
        assert recall(cast, ticket, first, minutes(1)).due_at == minutes(10)

    def test_the_turn_goes_back_where_the_reply_had_taken_it(self, cast, ticket, agent):
        answer(ticket, agent, minutes(3), wait=True)
        message = say(cast, ticket, minutes(20))
        fresh = recall(cast, ticket, message, minutes(21))
        assert (fresh.state, fresh.due_at) == ("waiting", None)

    def test_its_files_go_too(self, cast, client_for, ticket, settings, tmp_path, run_jobs):
        settings.MEDIA_ROOT = tmp_path
        owner = client_for(cast.owner)
        upload = SimpleUploadedFile("密钥.txt", b"not for you")
        owner.post(
            reverse("tickets:reply_create", args=[ticket.number]),
            {"body": "见附件", "attachments": [upload]},
        )
        with scope.staff():
            file = Attachment.objects.get()
        download = reverse("tickets:attachment_download", args=[file.pk])
        assert owner.get(download).status_code == 200
        owner.post(reverse("tickets:message_recall", args=[ticket.number, file.message_id]))
        assert owner.get(download).status_code == 404
        staff = client_for(cast.staff["vip_agent"])
        assert staff.get(reverse("tickets:console_attachment", args=[file.pk])).status_code == 404
        run_jobs.waiting.append(
            ("tickets.attachments_discard", {"message_id": file.message_id}, {})
        )
        run_jobs()
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
        with scope.staff():
            kept = Attachment.objects.get()
            assert (kept.name, kept.scan) == ("", "discarded")

    def test_a_split_tickets_copy_goes_too_and_files_keep_what_is_known_of_them(
        self, cast, client_for, ticket, agent, settings, tmp_path
    ):
        settings.MEDIA_ROOT = tmp_path
        now = clock.now()
        answer(ticket, agent, now)
        upload = SimpleUploadedFile("a.log", b"not for you")
        with scope.customer(cast.huachen.pk):
            reply_add(
                ticket_id=ticket.pk,
                body="口令在附件",
                actor=cast.actor(cast.owner),
                at=now,
                attachments=[upload],
            )
            message = TicketMessage.objects.latest("pk")
        with scope.staff():
            Attachment.objects.update(scan="blocked")
            fresh = ticket_split(
                ticket_id=ticket.pk, message_id=message.pk, title="", actor=agent, at=now
            )
            assert [file.scan for file in Attachment.objects.all()] == ["blocked", "blocked"]
        recall(cast, ticket, message, now)
        with scope.staff():
            assert [row.body for row in fresh.messages.all()] == [""]
            again = ticket_split(
                ticket_id=ticket.pk, message_id=message.pk, title="", actor=agent, at=now
            )
            (copy,) = again.messages.all()
            assert (copy.body, bool(copy.recalled_at), copy.attachments.count()) == ("", True, 0)

    def test_what_was_said_to_a_merged_ticket_can_be_recalled_in_the_other(
        self, cast, ticket, agent
    ):
        now = clock.now()
        with scope.staff():
            other = submit(cast.huachen, cast.actor(cast.owner), at=now, title="同一问题")
            said = other.messages.get()
            ticket_merge(ticket_id=other.pk, into_id=ticket.pk, actor=agent, at=now)
        recall(cast, ticket, said, now)
        with scope.staff():
            assert TicketMessage.objects.get(pk=said.pk).body == ""

    @pytest.mark.parametrize(
        "change",
        [
            "body = 'x', recalled_at = now()",
            "body = '', search = NULL",
            "body = '', search = NULL, recalled_at = NULL",
        ],
    )
    def test_the_database_lets_nothing_else_be_rewritten(self, cast, ticket, change):
        from django.db import connection, transaction

        with (
            pytest.raises(ProgrammingError, match="recalled, not rewritten"),
            transaction.atomic(),
            scope.customer(cast.huachen.pk),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE tickets_ticketmessage SET {change}")


class TestTheRail:
    def stages(self, client, ticket):
        return [(s.label, s.state) for s in client.get(ticket.get_absolute_url()).context["rail"]]

    def test_says_where_the_ticket_stands_who_handled_it_and_what_happens_next(
        self, cast, client_for, agent
    ):
        start = clock.now() - timedelta(minutes=30)
        with scope.staff():
            subscribe(cast.huachen, at=start - timedelta(days=1))
            ticket = submit(cast.huachen, cast.actor(cast.owner), at=start)
        owner = client_for(cast.owner)
        assert self.stages(owner, ticket) == [
            ("已提交", "done"),
            ("待响应", "now"),
            ("处理中", "next"),
            ("待您确认", "next"),
            ("已关闭", "next"),
        ]
        page = owner.get(ticket.get_absolute_url()).content.decode()
        assert "正在优先处理您的工单" in page  # it is late
        answer(ticket, agent, start + timedelta(minutes=4))
        page = owner.get(ticket.get_absolute_url()).content.decode()
        assert "VIP 专席 · VIP 专席" in page  # role and name of who responded
        assert "有进展会在这里回复并通知您" in page
        with scope.staff():
            ticket_resolve(
                ticket_id=ticket.pk, body="好了", actor=agent, at=start + timedelta(minutes=9)
            )
        assert self.stages(owner, ticket)[3] == ("待您确认", "now")
        closes = clock.local(start + timedelta(days=7, minutes=9))
        page = owner.get(ticket.get_absolute_url()).content.decode()
        assert f"{closes:%Y-%m-%d %H:%M} 前未确认将自动关闭" in page
        owner.post(reverse("tickets:ticket_confirm", args=[ticket.number]))
        assert [state for _, state in self.stages(owner, ticket)] == ["done"] * 5
        page = owner.get(ticket.get_absolute_url()).content.decode()
        assert f"可在 {closes:%Y-%m-%d %H:%M} 前重新打开" in page

    def test_places_that_never_were_are_skipped(self, cast, client_for, ticket):
        owner = client_for(cast.owner)
        owner.post(reverse("tickets:ticket_confirm", args=[ticket.number]))
        assert [state for _, state in self.stages(owner, ticket)] == [
            "done",
            "skipped",
            "skipped",
            "skipped",
            "done",
        ]

    def test_why_this_target(self, cast, client_for, ticket):
        page = client_for(cast.owner).get(ticket.get_absolute_url()).content.decode()
        assert "企业级 · 紧急工单：目标 10 分钟，7×24 小时计算" in page

    def test_an_open_page_hears_when_time_alone_changes_it(self, cast, client_for):
        with scope.staff():
            ticket = submit(cast.huachen, cast.actor(cast.owner), at=clock.now())
        owner = client_for(cast.owner)
        version = owner.get(ticket.get_absolute_url()).context["version"]
        path = reverse("tickets:ticket_live", args=[ticket.number])
        assert owner.get(path, {"version": version}).status_code == 204
        with scope.staff():
            Clock.objects.update(target_minutes=1)
            Ticket.objects.update(created_at=clock.now() - timedelta(minutes=2))
        assert "催单" in owner.get(path, {"version": version}).content.decode()


def test_reasons_and_stars_are_kept_together(cast, client_for, ticket, agent):
    with scope.staff():
        ticket_resolve(ticket_id=ticket.pk, body="好了", actor=agent, at=clock.now())
    owner = client_for(cast.owner)
    path = reverse("tickets:ticket_rate", args=[ticket.number])
    bad = owner.post(path, {"score": 5, "reasons": ["bribed"]})
    assert bad.status_code == 400
    page = owner.post(path, {"score": 5, "reasons": ["fast", "clear"]}, follow=True)
    assert "响应及时" in page.content.decode()
    assert "沟通清晰" in page.content.decode()
