"""Telling people: one row in the caller's transaction, delivered once to each person by each channel."""

from datetime import timedelta

import pytest
from celery import current_app
from django.core import mail

from core import clock
from core.tenancy import scope
from messaging import services
from messaging.models import Delivery, Message
from messaging.registry import KindUnknown
from messaging.states import Channel, DeliveryState

pytestmark = pytest.mark.django_db
CONTEXT = {"plan": "轻量级", "plan_en": "Lite", "ends": "2026-12-01 10:00:00", "days": 7}


def tell(cast, *, key="k1", audience=("tenant:owner", "tenant:account_manager")):
    with scope.customer(cast.huachen.pk):
        services.notify(
            "supportplans.term_ending",
            key=key,
            audience=audience,
            context=CONTEXT,
            url="/support/plan/",
            tenant_id=cast.huachen.pk,
            at=clock.now(),
        )


@pytest.fixture
def told(cast, run_jobs, django_capture_on_commit_callbacks):
    def run(**options):
        with django_capture_on_commit_callbacks(execute=True):
            tell(cast, **options)
        with django_capture_on_commit_callbacks(execute=True):
            run_jobs()
        with django_capture_on_commit_callbacks(execute=True):
            run_jobs()

    return run


def test_customers_get_a_message_and_a_mail_and_staff_a_message(cast, told, as_staff):
    told()

    got = {
        (d.recipient.email, d.channel, d.state)
        for d in Delivery.objects.select_related("recipient")
    }
    assert got == {
        ("owner@huachen.test", Channel.INBOX, DeliveryState.DELIVERED),
        ("owner@huachen.test", Channel.EMAIL, DeliveryState.DELIVERED),
        ("account_manager@portal.test", Channel.INBOX, DeliveryState.DELIVERED),
    }
    (sent,) = mail.outbox
    assert sent.subject == "您的轻量级支持计划将在 7 天内到期"
    assert "2026-12-01 10:00:00" in sent.body
    assert "text/html" in {kind for _, kind in sent.alternatives}


def test_the_same_key_tells_once(told, as_staff):
    told()
    told()

    assert Message.objects.count() == 1
    assert len(mail.outbox) == 1


def test_what_staff_is_told_no_customer_sees(cast, told):
    told()

    with scope.customer(cast.huachen.pk):
        assert {d.recipient_id for d in Delivery.objects.all()} == {cast.owner.pk}


def test_a_broken_mail_server_is_tried_again_later_and_then_given_up(
    cast, told, as_staff, settings, monkeypatch
):
    monkeypatch.setattr("messaging.channels.email.send", _refuse)
    told(audience=("tenant:owner",))
    delivery = Delivery.objects.get(channel=Channel.EMAIL)
    assert delivery.state == DeliveryState.PENDING
    assert delivery.error == "the server is away"
    assert delivery.next_attempt_at - clock.now() > timedelta(seconds=50)

    at = clock.now()
    for minutes in (*services.RETRY_MINUTES, 1):
        at += timedelta(minutes=minutes + 6)
        claimed = services.delivery_claim(at=at)
        if claimed is None:
            break
        services.delivery_fail(delivery_id=claimed.pk, error="the server is away", at=at)

    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.FAILED
    assert delivery.attempts == len(services.RETRY_MINUTES) + 1
    assert services.delivery_retry(delivery_id=delivery.pk, at=at)
    assert not services.delivery_retry(delivery_id=delivery.pk, at=at)


def test_a_claimed_delivery_is_not_claimed_twice(told, as_staff, monkeypatch):
    monkeypatch.setattr("messaging.tasks.deliveries_send.run", lambda: None)
    told(audience=("tenant:owner",))
    at = clock.now() + timedelta(seconds=1)

    assert services.delivery_claim(at=at) is not None
    assert services.delivery_claim(at=at) is None


def test_an_unknown_kind_is_a_programming_error(cast):
    with pytest.raises(KindUnknown):
        services.notify(
            "nobody.knows", key="x", audience=[], context={}, tenant_id=None, at=clock.now()
        )


def test_a_message_that_cannot_be_expanded_shows_its_error(cast, told, as_staff):
    told(audience=("nobody:here",))

    message = Message.objects.get()
    assert message.expanded_at is None
    assert "AudienceUnknown" in message.error


def _refuse(delivery):
    raise ConnectionRefusedError("the server is away")


def test_many_things_are_told_with_one_statement_and_each_once(cast, as_staff, max_queries):
    notices = [
        services.Notice(
            key=f"many-{number % 40}",
            audience=["tenant:owner"],
            context=CONTEXT,
            tenant_id=cast.huachen.pk,
            url="/support/plan/",
        )
        for number in range(50)
    ]
    with max_queries(1):
        services.notify_many("supportplans.term_ending", notices, at=clock.now())
    with max_queries(1):
        services.notify_many("supportplans.term_ending", notices[:3], at=clock.now())
    with max_queries(0):
        services.notify_many("supportplans.term_ending", [], at=clock.now())
    rows = Message.objects.filter(kind="supportplans.term_ending")
    assert rows.count() == 40
    one = rows.get(key="many-7")
    assert (one.audience, one.context, one.url) == (["tenant:owner"], CONTEXT, "/support/plan/")
    assert (one.attempts, one.error, one.expanded_at) == (0, "", None)
    with pytest.raises(KindUnknown):
        services.notify_many("nobody.knows", notices, at=clock.now())


def test_the_worker_drains_the_outbox_batch_by_batch(cast, as_staff, monkeypatch):
    monkeypatch.setattr(services, "EXPAND_BATCH", 4)
    notices = [
        services.Notice(
            key=f"n{number}", audience=["tenant:owner"], context=CONTEXT, tenant_id=cast.huachen.pk
        )
        for number in range(10)
    ]
    services.notify_many("supportplans.term_ending", notices, at=clock.now())
    current_app.tasks["messaging.messages_expand"]()
    assert not Message.objects.filter(expanded_at=None).exists()
