"""The in-site messages of a person."""

import pytest

from core import clock
from core.tenancy import scope
from messaging.models import Delivery, Message
from messaging.states import Channel, DeliveryState

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter(cast):
    at = clock.now()
    with scope.staff():
        message = Message.objects.create(
            tenant=cast.huachen,
            kind="supportplans.term_ending",
            key="k",
            audience=[],
            created_at=at,
            expanded_at=at,
        )
        return Delivery.objects.create(
            tenant=cast.huachen,
            message=message,
            recipient=cast.owner,
            channel=Channel.INBOX,
            state=DeliveryState.DELIVERED,
            subject="支持计划即将到期",
            url="/support/plan/",
            created_at=at,
        )


def test_opening_a_message_marks_it_read_and_leads_on(cast, client_for, letter):
    answer = client_for(cast.owner).post(f"/messages/{letter.pk}/")

    assert (answer.status_code, answer["Location"]) == (302, "/support/plan/")
    with scope.staff():
        letter.refresh_from_db()
    assert letter.read_at is not None


@pytest.mark.parametrize("who", ["member", "other_owner"])
def test_someone_elses_message_does_not_exist(cast, client_for, letter, who):
    assert client_for(getattr(cast, who)).post(f"/messages/{letter.pk}/").status_code == 404


def test_the_counter_answers_only_when_something_is_new(cast, client_for, letter):
    client = client_for(cast.owner)

    first = client.get("/messages/unread/?version=-1")
    assert first.status_code == 200
    assert "badge-count" in first.content.decode()
    assert client.get("/messages/unread/?version=0").status_code == 204


def test_the_list_shows_ones_own_messages(cast, client_for, letter):
    assert "支持计划即将到期" in client_for(cast.owner).get("/messages/").content.decode()
    assert "支持计划即将到期" not in client_for(cast.member).get("/messages/").content.decode()
