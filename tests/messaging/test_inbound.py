"""Mail that comes in: whose reply it is, what is no reply, each once, nothing lost."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from datetime import timedelta
from email.message import EmailMessage

import pytest
from django.core import mail as outbox
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Membership
from core import clock
from core.tenancy import scope
from messaging import receiving, threads
from messaging.models import Delivery, InboundMail
from messaging.states import InboundWay
from messaging.tasks import mailbox_poll, mails_process
from tests.factories.tickets import submit, subscribe
from tests.imapd import running_imap
from tickets.live import ticket_topic
from tickets.models import Attachment, Clock, Ticket, TicketMessage
from tickets.services.replies import reply_add
from tickets.services.tickets import ticket_resolve

HOOK = reverse("messaging:mail_receive")
SECRET = "a-secret-of-the-hook"
KEYS = [("2", "n" * 32), ("1", "o" * 32)]


@pytest.fixture(autouse=True)
def mail_settings(settings, tmp_path):
    settings.MAIL_REPLY_ADDRESS = "reply@support.example"
    settings.MAIL_REPLY_KEYS = KEYS
    settings.MAIL_WEBHOOK_SECRET = SECRET
    settings.MEDIA_ROOT = tmp_path
    return settings


@pytest.fixture
def ticket(cast):
    with scope.staff():
        subscribe(cast.huachen, at=clock.now() - timedelta(days=1))
        made = submit(cast.huachen, cast.actor(cast.owner), at=clock.now() - timedelta(minutes=30))
        agent = cast.actor(cast.staff["vip_agent"])
        at = clock.now() - timedelta(minutes=25)
        reply_add(ticket_id=made.pk, body="请重启后再试", actor=agent, at=at)
    return made


def address(cast, ticket, person=None) -> str:
    return threads.reply_address(
        threads.ReplyTo(ticket_topic(ticket.pk), ticket.tenant_id, (person or cast.owner).pk)
    )


def written(
    to: str, *, sender="owner@huachen.test", text="重启后还是不行", **headers
) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"李明 <{sender}>", to, "回复：工单"
    made["Message-ID"] = headers.pop("message_id", "<one@huachen.test>")
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def receive(made: EmailMessage | bytes, way=InboundWay.IMAP, at=None) -> bool:
    raw = made if isinstance(made, bytes) else made.as_bytes()
    with scope.staff():
        return receiving.mail_receive(raw=raw, way=way, at=at or clock.now())


def process() -> None:
    mails_process()


def outcome() -> tuple[str, str]:
    with scope.staff():
        row = InboundMail.objects.latest("pk")
        return row.state, row.refusal


def bodies(ticket) -> list[str]:
    with scope.staff():
        said = TicketMessage.objects.filter(ticket=ticket, is_staff=False).order_by("pk")
        return list(said.values_list("body", flat=True))[1:]


class TestAddresses:
    def test_names_whom_it_was_made_for_in_any_case(self, cast, ticket):
        made = address(cast, ticket)
        local = made.partition("@")[0]
        assert len(local) <= 64
        for written_as in (made, made.upper()):
            target = threads.reply_target(written_as)
            assert target == threads.ReplyTo(
                ticket_topic(ticket.pk), cast.huachen.pk, cast.owner.pk
            )

    def test_changed_by_one_character_it_is_nobodys(self, cast, ticket):
        made = address(cast, ticket)
        start = made.index("+") + 1
        for place in range(start, made.index("@")):
            other = "a" if made[place] != "a" else "b"
            forged = made[:place] + other + made[place + 1 :]
            assert threads.reply_target(forged) is None, forged

    def test_a_key_that_is_taken_out_ends_its_addresses(self, cast, ticket, settings):
        settings.MAIL_REPLY_KEYS = KEYS[1:]
        old = address(cast, ticket)
        settings.MAIL_REPLY_KEYS = KEYS
        assert threads.reply_target(old) is not None
        assert address(cast, ticket) != old
        settings.MAIL_REPLY_KEYS = KEYS[:1]
        assert threads.reply_target(old) is None

    def test_the_signature_is_the_tenants_own(self, cast, ticket):
        ours = threads.ReplyTo("ticket-1", cast.huachen.pk, 1)
        theirs = threads.ReplyTo("ticket-1", cast.yunfan.pk, 1)
        sign = lambda to: threads.reply_address(to).partition("@")[0][-16:]  # noqa: E731
        assert sign(ours) != sign(theirs)


class TestNotices:
    def test_mails_of_a_ticket_belong_together_and_can_be_answered(
        self, cast, run_jobs, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True), scope.staff():
            made = submit(cast.huachen, cast.actor(cast.owner), at=clock.now())
            agent = cast.actor(cast.staff["vip_agent"])
            for body in ("一", "二"):
                reply_add(ticket_id=made.pk, body=body, actor=agent, at=clock.now())
        for _ in range(3):
            with django_capture_on_commit_callbacks(execute=True):
                run_jobs()
        first, second = outbox.outbox[-2:]
        thread = f"<{ticket_topic(made.pk)}@support.example>"
        for sent in (first, second):
            assert sent.extra_headers["References"] == thread
            assert sent.extra_headers["In-Reply-To"] == thread
            target = threads.reply_target(sent.reply_to[0])
            assert (target.thread, target.user_id) == (ticket_topic(made.pk), cast.owner.pk)
            assert "直接回复本邮件" in sent.body
        assert first.extra_headers["Message-ID"] != second.extra_headers["Message-ID"]
        assert threads.is_own_id(first.extra_headers["Message-ID"])

    def test_without_an_address_for_replies_none_is_offered(
        self, cast, settings, run_jobs, django_capture_on_commit_callbacks
    ):
        settings.MAIL_REPLY_ADDRESS = ""
        with django_capture_on_commit_callbacks(execute=True), scope.staff():
            made = submit(cast.huachen, cast.actor(cast.owner), at=clock.now())
            agent = cast.actor(cast.staff["vip_agent"])
            reply_add(ticket_id=made.pk, body="一", actor=agent, at=clock.now())
        for _ in range(3):
            with django_capture_on_commit_callbacks(execute=True):
                run_jobs()
        assert not outbox.outbox[-1].reply_to
        assert "直接回复本邮件" not in outbox.outbox[-1].body


class TestReplies:
    def test_count_like_one_in_the_portal_from_their_receipt(self, cast, ticket):
        received = clock.now() - timedelta(minutes=3)
        text = "重启后还是不行\n\n发件人: 天翼云\n发送时间: 今天\n收件人: 李明\n主题: 工单\n\n请重启后再试"
        receive(written(address(cast, ticket), text=text), at=received)
        process()
        assert outcome() == ("accepted", "")
        assert bodies(ticket) == ["重启后还是不行"]
        with scope.staff():
            said = TicketMessage.objects.latest("pk")
            assert (said.actor, said.actor_name, said.actor_title) == (cast.owner, "李明", "所有者")
            running = Clock.objects.get(kind="next")
            assert (running.started_at, running.stopped_at) == (received, None)

    def test_files_are_checked_like_all_others(self, cast, ticket):
        made = written(address(cast, ticket), text="见附件")
        made.add_attachment(
            b"10.0.2.15 timeout", maintype="text", subtype="plain", filename="a.log"
        )
        made.add_attachment(
            b"MZ\x90\x00", maintype="application", subtype="x-exe", filename="b.exe"
        )
        receive(made)
        process()
        with scope.staff():
            assert [file.name for file in Attachment.objects.all()] == ["a.log"]
        assert "附件 b.exe 未接收" in bodies(ticket)[0]

    def test_html_alone_is_read(self, cast, ticket):
        made = written(address(cast, ticket))
        made.set_content(
            "<style>p{}</style><div>还是 <b>not</b> working</div><div><b>谢谢</b><br></div><blockquote>请重启</blockquote>",
            subtype="html",
        )
        receive(made)
        process()
        assert bodies(ticket) == ["还是 not working\n谢谢"]

    def test_gb18030_is_read(self, cast, ticket):
        made = EmailMessage()
        made["From"], made["To"] = "owner@huachen.test", address(cast, ticket)
        made["Message-ID"] = "<gb@huachen.test>"
        made.set_content("还是无法连接", charset="gb18030")
        receive(made)
        process()
        assert bodies(ticket) == ["还是无法连接"]

    def test_a_solved_ticket_reopens(self, cast, ticket):
        with scope.staff():
            agent = cast.actor(cast.staff["vip_agent"])
            ticket_resolve(ticket_id=ticket.pk, body="好了", actor=agent, at=clock.now())
        receive(written(address(cast, ticket)), at=clock.now())
        process()
        with scope.staff():
            assert Ticket.objects.get(pk=ticket.pk).state == "processing"

    def test_after_the_time_for_reopening_the_sender_is_told(
        self, cast, ticket, run_jobs, django_capture_on_commit_callbacks
    ):
        with scope.staff():
            Ticket.objects.filter(pk=ticket.pk).update(
                state="closed",
                due_at=None,
                closed_at=clock.now() - timedelta(days=8),
                resolved_at=clock.now() - timedelta(days=8),
            )
        with django_capture_on_commit_callbacks(execute=True):
            receive(written(address(cast, ticket)))
            process()
        for _ in range(3):
            with django_capture_on_commit_callbacks(execute=True):
                run_jobs()
        assert bodies(ticket) == []
        with scope.staff():
            told = Delivery.objects.get(message__kind="tickets.mail_too_late")
            assert told.recipient == cast.owner
            assert ticket.number in told.text

    def test_a_colleague_may_answer_at_anothers_address(self, cast, ticket):
        receive(written(address(cast, ticket), sender="member@huachen.test"))
        process()
        with scope.staff():
            assert TicketMessage.objects.latest("pk").actor == cast.member

    @pytest.mark.parametrize(
        "sender", ["owner@yunfan.test", "who@elsewhere.example", "vip_agent@portal.test"]
    )
    def test_nobody_else_may(self, cast, ticket, sender):
        receive(written(address(cast, ticket), sender=sender))
        process()
        assert outcome() == ("refused", "sender")
        assert bodies(ticket) == []

    def test_who_left_the_customer_may_not(self, cast, ticket):
        with scope.staff():
            Membership.objects.filter(user=cast.owner).update(is_active=False)
        receive(written(address(cast, ticket)))
        process()
        assert outcome() == ("refused", "sender")


class TestNoReplies:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Auto_Submitted": "auto-replied"},
            {"Auto_Submitted": "auto-generated; type=vacation"},
            {"X_Auto_Response_Suppress": "All"},
            {"Precedence": "bulk"},
            {"Precedence": "auto_reply"},
            {"Return_Path": "<>"},
            {"X_Autoreply": "yes"},
        ],
    )
    def test_automatic_mail_is_logged_and_ignored(self, cast, ticket, headers):
        receive(written(address(cast, ticket), **headers))
        process()
        assert outcome() == ("refused", "automatic")
        assert bodies(ticket) == []

    def test_a_bounce_is_ignored(self, cast, ticket):
        raw = written(address(cast, ticket), sender="MAILER-DAEMON@mx.example")
        receive(raw)
        process()
        assert outcome() == ("refused", "automatic")

    def test_the_portals_own_mail_is_ignored(self, cast, ticket):
        own = threads.delivery_id(7, ticket_topic(ticket.pk))
        receive(written(address(cast, ticket), message_id=own))
        process()
        assert outcome() == ("refused", "own")

    @pytest.mark.parametrize(
        "to", ["reply@support.example", "reply+x@support.example", "who@else.example"]
    )
    def test_mail_to_no_valid_address_is_logged(self, cast, ticket, to):
        receive(written(to))
        process()
        assert outcome() == ("refused", "no_address")

    def test_a_quote_alone_is_empty(self, cast, ticket):
        receive(written(address(cast, ticket), text="> 请重启后再试\n"))
        process()
        assert outcome() == ("refused", "empty")

    @pytest.mark.parametrize("raw", [b"\xff\xfe\x00garbage", b"From: =?broken?q?\n\n", b"\r\n"])
    def test_garbage_is_logged(self, db, raw):
        receive(raw)
        process()
        assert outcome()[0] == "refused"


class TestOnce:
    def test_delivered_three_times_is_one_message(self, cast, ticket):
        made = written(address(cast, ticket))
        assert [receive(made), receive(made, InboundWay.WEBHOOK)] == [True, False]
        process()
        assert not receive(made)
        process()
        assert bodies(ticket) == ["重启后还是不行"]

    def test_mail_without_an_id_is_told_by_its_bytes(self, cast, ticket):
        made = written(address(cast, ticket))
        del made["Message-ID"]
        assert [receive(made), receive(made)] == [True, False]

    def test_a_worker_that_dies_loses_nothing(self, cast, ticket, monkeypatch):
        receive(written(address(cast, ticket)))

        class Died(BaseException):
            pass

        def die(**_):
            raise Died

        with monkeypatch.context() as patched:
            patched.setattr("tickets.handlers.mail_reply_add", die)
            with pytest.raises(Died):
                process()
        assert bodies(ticket) == []
        process()
        assert bodies(ticket) == ["重启后还是不行"]

    def test_what_cannot_be_read_now_is_tried_again_and_given_up_in_the_end(
        self, cast, ticket, monkeypatch
    ):
        receive(written(address(cast, ticket)))
        monkeypatch.setattr(
            "messaging.receiving.mail_read", lambda raw: (_ for _ in ()).throw(OSError("disk"))
        )
        for _ in range(receiving.ATTEMPTS_MAX):
            assert outcome()[0] == "waiting"
            with scope.staff():
                InboundMail.objects.update(next_attempt_at=clock.now())
            process()
        assert outcome() == ("refused", "unreadable")

    def test_a_refused_mail_can_be_read_again(self, cast, client_for, ticket):
        receive(written(address(cast, ticket), sender="new@huachen.test"))
        process()
        operator = client_for(cast.staff["operator"])
        page = operator.get(reverse("messaging:inbound_list")).content.decode()
        assert "发件人不是该客户的授权员工" in page
        assert "new@huachen.test" in page
        with scope.staff():
            cast.member.email = "new@huachen.test"
            cast.member.save(update_fields=["email"])
            row = InboundMail.objects.get()
        operator.post(reverse("messaging:inbound_retry", args=[row.pk]))
        process()
        assert bodies(ticket) == ["重启后还是不行"]
        assert client_for(cast.owner).get(reverse("messaging:inbound_list")).status_code == 404

    def test_the_text_is_deleted_after_a_while_and_the_line_stays(self, cast, ticket, tmp_path):
        receive(written(address(cast, ticket)))
        process()
        with scope.staff():
            receiving.raw_discard(at=clock.now() + timedelta(days=29))
            assert InboundMail.objects.get().raw
            receiving.raw_discard(at=clock.now() + timedelta(days=31))
            assert not InboundMail.objects.get().raw
        assert not list(tmp_path.rglob("*.eml"))


class TestWebhook:
    def post(self, raw, *, secret=SECRET, at=None):
        stamp = str(int(time.time()) if at is None else at)
        signature = hmac.new(secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256)
        return Client(enforce_csrf_checks=True).post(
            HOOK,
            raw,
            content_type="message/rfc822",
            headers={"X-Portal-Timestamp": stamp, "X-Portal-Signature": signature.hexdigest()},
        )

    def test_takes_signed_mail_also_a_large_one(self, cast, ticket):
        made = written(address(cast, ticket))
        made.add_attachment(b"x" * 6_000_000, maintype="text", subtype="plain", filename="a.log")
        assert self.post(made.as_bytes()).status_code == 202
        process()
        assert outcome() == ("accepted", "")

    def test_refuses_everything_else(self, cast, ticket, settings):
        raw = written(address(cast, ticket)).as_bytes()
        assert self.post(raw, secret="wrong").status_code == 403
        assert self.post(raw, at=int(time.time()) - 301).status_code == 403
        assert Client().post(HOOK, raw, content_type="message/rfc822").status_code == 403
        assert Client().get(HOOK).status_code == 405
        settings.MAIL_MAX_BYTES = 10
        assert self.post(raw).status_code == 413
        settings.MAIL_WEBHOOK_SECRET = ""
        assert self.post(raw).status_code == 404
        with scope.staff():
            assert not InboundMail.objects.exists()


class TestMailbox:
    @pytest.fixture
    def mailbox(self, settings):
        with running_imap() as running:
            settings.MAIL_IMAP_URL = running.address
            settings.MAIL_IMAP_USER = "reply"
            settings.MAIL_IMAP_PASSWORD = "secret"
            yield running

    def test_unseen_mail_is_fetched_kept_and_only_then_seen(self, cast, ticket, mailbox):
        mailbox.add(written(address(cast, ticket)).as_bytes())
        mailbox.add(written(address(cast, ticket), message_id="<two@h>", text="补充").as_bytes())
        mailbox_poll()
        assert mailbox.seen == {1, 2}
        mailbox_poll()
        process()
        assert bodies(ticket) == ["重启后还是不行", "补充"]

    def test_a_connection_that_breaks_before_the_mark_doubles_nothing(self, cast, ticket, mailbox):
        mailbox.add(written(address(cast, ticket)).as_bytes())
        mailbox.breaks_at = "UID STORE"
        mailbox_poll()
        assert mailbox.seen == set()
        mailbox.breaks_at = ""
        mailbox_poll()
        process()
        assert mailbox.seen == {1}
        assert bodies(ticket) == ["重启后还是不行"]

    @pytest.mark.parametrize("fault", ["password", "scheme", "nobody", "select"])
    def test_one_that_cannot_be_opened_is_tried_again_later(self, mailbox, settings, fault, caplog):
        if fault == "password":
            settings.MAIL_IMAP_PASSWORD = "wrong"
        elif fault == "scheme":
            settings.MAIL_IMAP_URL = "imap://mail.example/INBOX"
        elif fault == "nobody":
            settings.MAIL_IMAP_URL = "imap://127.0.0.1:1/INBOX"
        else:
            mailbox.breaks_at = "SELECT"
        mailbox_poll()
        assert "could not be read" in caplog.text

    def test_without_a_mailbox_nothing_is_polled(self, db, settings):
        settings.MAIL_IMAP_URL = ""
        mailbox_poll()


class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_the_same_mail_by_two_ways_and_two_workers_is_one_message(
        self, transactional_db, cast, ticket
    ):
        raw = written(address(cast, ticket)).as_bytes()
        gate = threading.Barrier(4)
        taken: list[object] = []

        def run(action):
            try:
                gate.wait(10)
                taken.append(action())
            finally:
                connection.close()

        actions = [lambda: receive(raw)] * 2 + [lambda: receive(raw, InboundWay.WEBHOOK)] * 2
        workers = [threading.Thread(target=run, args=(action,)) for action in actions]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
        assert sorted(taken) == [False, False, False, True]
        gate = threading.Barrier(4)
        workers = [threading.Thread(target=run, args=(process,)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(30)
        assert bodies(ticket) == ["重启后还是不行"]
