"""Files: uploaded before they are sent, scanned by the worker, shown only as far as they are safe."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from core import clock
from core.tenancy import scope
from tests.clamd import EICAR, running_clamd
from tests.factories.tickets import submit
from tickets.models import Attachment, TicketMessage
from tickets.services import attachments as services
from tickets.tasks import attachments_check, unsent_discard

UPLOAD = reverse("tickets:upload_create")


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def ticket(cast):
    with scope.staff():
        return submit(cast.huachen, cast.actor(cast.owner), at=clock.now())


def png(width=1200, height=300):
    made = io.BytesIO()
    Image.new("RGBA", (width, height), (200, 30, 30, 128)).save(made, "PNG")
    return made.getvalue()


def upload(client, name="a.log", content=b"10.0.2.15 timeout"):
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content)})


def send(client, ticket, *ids, body="见附件"):
    path = reverse("tickets:reply_create", args=[ticket.number])
    return client.post(path, {"body": body, "uploads": list(ids)})


def files():
    with scope.staff():
        return list(Attachment.objects.order_by("pk"))


class TestUploading:
    def test_comes_first_and_is_sent_with_the_message(self, cast, client_for, ticket):
        owner = client_for(cast.owner)
        answer = upload(owner)
        (file,) = files()
        assert answer.status_code == 201
        assert f'name="uploads" value="{file.pk}"' in answer.content.decode()
        assert send(owner, ticket, file.pk).status_code == 302
        page = owner.get(ticket.get_absolute_url()).content.decode()
        assert "a.log" in page
        assert file.sha256 in page
        assert "未检测" in page  # no scanner is configured

    def test_what_is_refused_is_said_in_words(self, cast, client_for):
        owner = client_for(cast.owner)
        answer = upload(owner, "page.html", b"<html><script>")
        assert (answer.status_code, "不支持该文件类型" in answer.content.decode()) == (400, True)
        assert owner.post(UPLOAD).status_code == 400
        assert files() == []

    def test_an_unsent_file_is_its_uploaders_alone(self, cast, client_for, ticket):
        upload(client_for(cast.owner))
        (file,) = files()
        download = reverse("tickets:attachment_download", args=[file.pk])
        assert client_for(cast.owner).get(download).status_code == 200
        assert client_for(cast.member).get(download).status_code == 404
        assert client_for(cast.other_owner).get(download).status_code == 404
        staff = reverse("tickets:console_attachment", args=[file.pk])
        assert client_for(cast.staff["vip_agent"]).get(staff).status_code == 404
        send(client_for(cast.member), ticket, file.pk)
        assert files()[0].message is None

    def test_a_file_is_sent_once(self, cast, client_for, ticket):
        owner = client_for(cast.owner)
        upload(owner)
        (file,) = files()
        send(owner, ticket, file.pk)
        first = files()[0].message_id
        send(owner, ticket, file.pk, body="又一条")
        assert files()[0].message_id == first
        with scope.staff():
            assert TicketMessage.objects.count() == 3

    def test_survives_a_form_with_an_error_and_a_draft(self, cast, client_for):
        owner = client_for(cast.owner)
        upload(owner)
        (file,) = files()
        typed = {"key": "k", "title": "超时", "body": "x", "uploads": [file.pk]}
        page = owner.post(reverse("tickets:ticket_new"), typed).content.decode()
        assert f'name="uploads" value="{file.pk}"' in page
        owner.post(reverse("tickets:draft_save"), typed)
        page = owner.get(reverse("tickets:ticket_new"), {"draft": "k"}).content.decode()
        assert f'name="uploads" value="{file.pk}"' in page

    def test_there_is_a_limit_per_message_and_per_person(
        self, cast, client_for, ticket, monkeypatch
    ):
        monkeypatch.setattr(services, "UNSENT_MAX", 6)
        owner = client_for(cast.owner)
        for number in range(7):
            answer = upload(owner, f"{number}.log")
        assert answer.status_code == 400
        ids = [file.pk for file in files()]
        assert len(ids) == 6
        send(owner, ticket, *ids)
        assert sum(file.message_id is not None for file in files()) == 5

    def test_what_is_never_sent_is_forgotten_after_a_week(self, cast, client_for, media):
        upload(client_for(cast.owner))
        with scope.staff():
            unsent_discard()
            assert Attachment.objects.count() == 1
            Attachment.objects.update(created_at=clock.now() - timedelta(days=8))
            unsent_discard()
            assert not Attachment.objects.exists()
        assert not [path for path in media.rglob("*") if path.is_file()]


class TestScanning:
    @pytest.fixture
    def clamd(self, settings):
        with running_clamd() as running:
            settings.SCANNER_URL = running.address
            settings.SCANNER_TIMEOUT = 5
            yield running

    def statuses(self, cast, client_for, file):
        download = reverse("tickets:attachment_download", args=[file.pk])
        staff = reverse("tickets:console_attachment", args=[file.pk])
        return (
            client_for(cast.owner).get(download).status_code,
            client_for(cast.staff["vip_agent"]).get(staff).status_code,
        )

    def test_a_file_opens_when_the_scanner_says_so(self, cast, client_for, ticket, clamd):
        owner = client_for(cast.owner)
        upload(owner)
        send(owner, ticket, files()[0].pk)
        assert files()[0].scan == "scanning"
        assert "安全检测中" in owner.get(ticket.get_absolute_url()).content.decode()
        assert self.statuses(cast, client_for, files()[0]) == (404, 404)
        attachments_check()
        assert clamd.streams == [b"10.0.2.15 timeout"]
        assert (files()[0].scan, files()[0].check_at) == ("safe", None)
        assert self.statuses(cast, client_for, files()[0]) == (200, 200)

    def test_a_blocked_file_is_nobodys(self, cast, client_for, ticket, clamd):
        owner = client_for(cast.owner)
        upload(owner, "bad.txt", EICAR)
        send(owner, ticket, files()[0].pk)
        attachments_check()
        file = files()[0]
        assert (file.scan, file.scan_detail) == ("blocked", "Win.Test.EICAR_HDB-1")
        assert self.statuses(cast, client_for, file) == (404, 404)
        page = owner.get(ticket.get_absolute_url()).content.decode()
        assert "检出风险，已拦截" in page
        assert reverse("tickets:attachment_download", args=[file.pk]) not in page

    def test_a_scanner_that_cannot_be_asked_keeps_the_file_shut_until_it_can(
        self, cast, client_for, clamd, settings
    ):
        upload(client_for(cast.owner))
        settings.SCANNER_URL = "clamav://127.0.0.1:1"
        attachments_check()
        assert files()[0].scan == "scanning"
        assert files()[0].check_at > clock.now()
        settings.SCANNER_URL = clamd.address
        attachments_check()  # not yet due
        assert files()[0].scan == "scanning"
        with scope.staff():
            Attachment.objects.update(check_at=clock.now())
        attachments_check()
        assert files()[0].scan == "safe"

    def test_a_worker_that_dies_loses_its_claim(self, cast, client_for, clamd):
        upload(client_for(cast.owner))
        at = clock.now()
        with scope.staff():
            assert services.attachment_claim(at=at) is not None
            assert services.attachment_claim(at=at) is None
            assert services.attachment_claim(at=at + timedelta(minutes=6)) is not None


class TestPictures:
    def test_are_made_anew_and_shown_in_the_conversation(self, cast, client_for, ticket):
        owner = client_for(cast.owner)
        upload(owner, "图.png", png())
        send(owner, ticket, files()[0].pk)
        attachments_check()
        (file,) = files()
        path = reverse("tickets:attachment_preview", args=[file.pk])
        assert path in owner.get(ticket.get_absolute_url()).content.decode()
        answer = owner.get(path)
        picture = Image.open(io.BytesIO(b"".join(answer.streaming_content)))
        assert (picture.format, picture.size) == ("JPEG", (720, 180))
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert client_for(cast.other_owner).get(path).status_code == 404
        staff = reverse("tickets:console_preview", args=[file.pk])
        assert client_for(cast.staff["vip_agent"]).get(staff).status_code == 200

    @pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + b"broken" * 20, b"GIF89a\x00"])
    def test_what_cannot_be_read_has_none(self, cast, client_for, content):
        name = "a.png" if content.startswith(b"\x89") else "a.gif"
        assert upload(client_for(cast.owner), name, content).status_code == 201
        attachments_check()
        (file,) = files()
        assert (file.preview.name, file.check_at) == ("", None)
        path = reverse("tickets:attachment_preview", args=[file.pk])
        assert client_for(cast.owner).get(path).status_code == 404

    def test_a_bomb_is_not_unpacked(self, cast, client_for, monkeypatch):
        monkeypatch.setattr("tickets.previews.PIXELS_MAX", 10_000)
        upload(client_for(cast.owner), "a.png", png())
        attachments_check()
        assert not files()[0].preview

    def test_no_picture_of_a_blocked_file(self, cast, client_for, settings):
        with running_clamd() as running:
            settings.SCANNER_URL = running.address
            settings.SCANNER_TIMEOUT = 5
            upload(client_for(cast.owner), "a.png", png() + EICAR)
            attachments_check()
        assert (files()[0].scan, files()[0].preview.name) == ("blocked", "")
