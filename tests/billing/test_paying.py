"""Paying at a provider: a real gateway over HTTP, real signatures, and everything that can go wrong with a notification."""

from __future__ import annotations

import io
import json
import re
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.urls import reverse

from billing import exceptions as errors
from billing.models import LedgerAccount, Order, Payment, PaymentNotification, Refund
from billing.providers import registry
from billing.providers.base import (
    ProviderError,
    RefundRefusal,
    RefundRequest,
    RefundStatus,
    TradeReport,
    TradeStatus,
)
from billing.providers.signing import keys_of, sign
from billing.services import orders, payments
from billing.states import NotificationOutcome, OrderState, PaymentState, RefundState
from billing.tasks import payment_follow, payments_follow_due
from core import clock
from core.tenancy import scope
from supportplans.models import Subscription
from tests.factories.billing import give_balance, order_for, use_balance

pytestmark = pytest.mark.django_db
NOTIFY = "/callbacks/payments/local/"


@pytest.fixture
def order(cast):
    return order_for(cast.huachen, cast.owner)


@pytest.fixture
def go(cast, gateway, order, client_for):
    """Choose the test provider at the cashier; return the gateway's address."""

    def choose() -> str:
        url = reverse("billing:cashier", args=[order.number])
        return client_for(cast.owner).post(url, {"method": "local"}).url

    return choose


def notify(body: bytes):
    return Client(enforce_csrf_checks=True).post(
        NOTIFY, body, content_type="application/x-www-form-urlencoded"
    )


def fresh(order):
    with scope.staff():
        return Order.objects.get(pk=order.pk)


def payment_states(order):
    with scope.staff():
        return list(order.payments.order_by("pk").values_list("state", flat=True))


def outcomes():
    with scope.staff():
        return list(PaymentNotification.objects.order_by("pk").values_list("outcome", flat=True))


def account(tenant, kind):
    with scope.staff():
        return LedgerAccount.objects.get(tenant=tenant, kind=kind).balance


def forged(gateway, body: bytes, **changed: str) -> bytes:
    """Change a notification and sign it anew with the gateway's own key."""
    parameters = {**dict(parse_qsl(body.decode())), **changed}
    parameters.pop("sign")
    return urlencode(sign(parameters, keys_of("gateway", gateway.directory).private)).encode()


def test_a_verified_notification_pays_and_the_worker_fulfils(cast, gateway, order, go):
    body = gateway.pay(go())

    answer = notify(body)

    assert (answer.status_code, answer.content) == (200, b"success")
    assert payment_states(order) == [PaymentState.SUCCEEDED]
    assert account(cast.huachen, "sales") == Decimal("6000.00")
    assert account(cast.huachen, "local") == Decimal("-6000.00")
    assert fresh(order).state == OrderState.PAID


def test_the_worker_completes_a_paid_order_and_keeps_the_method(
    cast, gateway, order, go, work, django_capture_on_commit_callbacks
):
    body = gateway.pay(go())
    with django_capture_on_commit_callbacks(execute=True):
        notify(body)
    work()

    assert fresh(order).state == OrderState.COMPLETED
    with scope.staff():
        subscription = Subscription.objects.get(tenant=cast.huachen)
        assert subscription.paid_lines.get().cash == {"local": "6000.00"}


def test_the_browsers_return_pays_nothing(cast, gateway, order, go, client_for):
    gateway.pay(go())
    back = reverse("billing:payment_return", args=[order.number])

    page = client_for(cast.owner).get(back, {"trade": "x", "status": "paid", "amount": "6000.00"})

    assert "支付结果确认中" in page.content.decode()
    assert fresh(order).state == OrderState.PENDING


def test_a_signed_reply_pays_when_no_notification_came(gateway, order, go):
    gateway.pay(go())
    with scope.staff():
        payment_id = order.payments.get().pk

    payment_follow(payment_id)
    payment_follow(payment_id)

    assert fresh(order).state == OrderState.PAID
    assert payment_states(order) == [PaymentState.SUCCEEDED]


def test_open_attempts_are_polled_when_they_are_due(gateway, order, go, monkeypatch):
    gateway.pay(go())
    payments_follow_due()
    assert fresh(order).state == OrderState.PENDING
    later = clock.now() + timedelta(seconds=20)
    monkeypatch.setattr("billing.tasks.clock.now", lambda: later)

    payments_follow_due()

    assert fresh(order).state == OrderState.PAID


def test_repeated_notifications_change_nothing(cast, gateway, order, go):
    body = gateway.pay(go())

    assert [notify(body).content for _ in range(3)] == [b"success"] * 3
    assert notify(forged(gateway, body, notify_id="another")).content == b"success"

    assert outcomes() == [NotificationOutcome.APPLIED, NotificationOutcome.REPEATED]
    assert account(cast.huachen, "sales") == Decimal("6000.00")


def test_a_reply_before_the_notification_is_as_good(cast, gateway, order, go):
    body = gateway.pay(go())
    with scope.staff():
        payment_id = order.payments.get().pk
    payment_follow(payment_id)

    assert notify(body).content == b"success"
    assert outcomes() == [NotificationOutcome.REPEATED]
    assert account(cast.huachen, "sales") == Decimal("6000.00")


@pytest.mark.parametrize(
    "tamper",
    [
        lambda body: body.replace(b"6000.00", b"0.01"),
        lambda body: re.sub(rb"sign=[^&]+", b"sign=AAAA", body),
        lambda body: re.sub(rb"sign=[^&]+", b"", body),
        lambda body: body + b"&amount=6000.00",
        lambda body: body.replace(b"status=paid", b"status=PAID"),
        lambda _: b"",
        lambda _: b"\xff\xfe\x00",
        lambda _: b'{"status": "paid"}',
        lambda body: body + b"&" + b"&".join(b"x%d=1" % n for n in range(60)),
    ],
)
def test_a_tampered_or_malformed_notification_is_refused(gateway, order, go, tamper):
    body = gateway.pay(go())

    answer = notify(tamper(body))

    assert (answer.status_code, answer.content) == (400, b"failure")
    assert outcomes() == [NotificationOutcome.UNVERIFIED]
    assert fresh(order).state == OrderState.PENDING
    assert notify(body).content == b"success"


def test_a_notification_signed_by_another_key_is_refused(gateway, order, go, tmp_path):
    body = gateway.pay(go())
    parameters = dict(parse_qsl(body.decode()))
    other = keys_of("gateway", tmp_path / "stranger").private

    answer = notify(urlencode(sign(parameters, other)).encode())

    assert answer.status_code == 400
    assert fresh(order).state == OrderState.PENDING


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"amount": "0.01"}, NotificationOutcome.MISMATCH),
        ({"amount": "60000.00"}, NotificationOutcome.MISMATCH),
        ({"currency": "USD"}, NotificationOutcome.MISMATCH),
        ({"merchant": "somebody-else"}, NotificationOutcome.MISMATCH),
        ({"number": "20200101000000000000"}, NotificationOutcome.UNKNOWN),
    ],
)
def test_a_genuine_notification_about_something_else_pays_nothing(
    cast, gateway, order, go, changed, outcome
):
    body = gateway.pay(go())

    answer = notify(forged(gateway, body, notify_id="n", **changed))

    assert answer.status_code == 400
    assert outcomes() == [outcome]
    assert fresh(order).state == OrderState.PENDING
    with scope.staff():
        assert not LedgerAccount.objects.exists()


def test_words_may_arrive_out_of_order(cast, gateway, order, go):
    paid = gateway.pay(go())
    notify(paid)

    for status in ("failed", "closed", "open"):
        assert notify(forged(gateway, paid, notify_id=status, status=status)).status_code == 200

    assert fresh(order).state == OrderState.PAID
    assert payment_states(order) == [PaymentState.SUCCEEDED]


def test_a_failed_attempt_leaves_the_order_payable(cast, gateway, order, go, client_for):
    notify(gateway.fail(go()))

    page = client_for(cast.owner).get(order.get_absolute_url()).content.decode()
    assert "支付未成功" in page
    notify(gateway.pay(go()))
    assert payment_states(order) == [PaymentState.FAILED, PaymentState.SUCCEEDED]
    assert fresh(order).state == OrderState.PAID


def test_a_double_click_at_the_cashier_opens_one_attempt(gateway, order, go):
    def number(address):
        return re.search(r"number=(\d+)", address).group(1)

    assert number(go()) == number(go())
    assert payment_states(order) == [PaymentState.OPEN]


def test_cancelling_closes_at_the_provider_first(cast, gateway, order, go, client_for):
    address = go()
    client_for(cast.owner).post(reverse("billing:order_cancel", args=[order.number]))
    assert fresh(order).state == OrderState.PENDING
    assert payment_states(order) == [PaymentState.CLOSING]
    assert "正在关闭订单" in client_for(cast.owner).get(order.get_absolute_url()).content.decode()

    payments_follow_due()

    assert fresh(order).state == OrderState.CANCELLED
    assert payment_states(order) == [PaymentState.CLOSED]
    assert "已结束" in gateway.open(address)


def test_a_payment_that_arrives_before_the_cancellation_wins(cast, gateway, order, go, client_for):
    gateway.pay(go())
    client_for(cast.owner).post(reverse("billing:order_cancel", args=[order.number]))

    payments_follow_due()

    assert fresh(order).state == OrderState.PAID


def test_an_expired_order_that_was_paid_in_time_is_fulfilled(gateway, order, go):
    body = gateway.pay(go())
    with scope.staff():
        Payment.objects.update(state=PaymentState.CLOSED, next_poll_at=None)
        orders.orders_expire_due(at=order.pays_until)
    assert fresh(order).state == OrderState.EXPIRED

    notify(body)

    assert fresh(order).state == OrderState.PAID


def test_money_that_came_too_late_goes_to_the_balance(cast, gateway, order, go):
    body = gateway.pay(go())
    with scope.staff():
        Payment.objects.update(state=PaymentState.CLOSED, next_poll_at=None)
        orders.orders_expire_due(at=order.pays_until)
    late = (order.pays_until + timedelta(seconds=1)).isoformat()

    assert notify(forged(gateway, body, paid_at=late)).content == b"success"

    assert fresh(order).state == OrderState.EXPIRED
    assert account(cast.huachen, "balance") == Decimal("6000.00")


def test_a_second_success_leaves_the_order_as_it_is_and_goes_back(
    cast, gateway, order, go, messages
):
    body = gateway.fail(go())
    notify(body)
    second = gateway.pay(go())
    notify(second)
    paid_at = clock.now().isoformat()

    notify(forged(gateway, body, notify_id="late", status="paid", paid_at=paid_at))

    assert fresh(order).state == OrderState.PAID
    assert payment_states(order) == [PaymentState.SUCCEEDED] * 2
    assert account(cast.huachen, "sales") == Decimal("6000.00")
    assert account(cast.huachen, "refunding") == Decimal("6000.00")
    with scope.staff():
        refund = Refund.objects.get()
        first, last = order.payments.order_by("pk")
    assert (refund.payment_id, refund.destination) == (first.pk, "local")
    assert refund.state == RefundState.READY
    assert (first.is_surplus, last.is_surplus) == (True, False)
    assert messages("billing.paid_twice") == [["tenant:owner", "staff:finance"]]


def test_changing_the_sum_closes_the_attempt_over_the_old_one(cast, gateway, order, go):
    go()
    with scope.staff():
        give_balance(cast.huachen, "1000.00")
    with scope.customer(cast.huachen.pk):
        use_balance(order, cast.owner, at=clock.now())
    body = gateway.pay(go())
    notify(body)

    assert payment_states(order) == [PaymentState.CLOSING, PaymentState.SUCCEEDED]
    assert fresh(order).state == OrderState.PAID
    assert account(cast.huachen, "sales") == Decimal("6000.00")
    assert account(cast.huachen, "held") == Decimal("0.00")
    payments_follow_due()
    assert payment_states(order) == [PaymentState.CLOSED, PaymentState.SUCCEEDED]


def test_a_gateway_that_is_down_changes_nothing_and_is_asked_again(gateway, order, go):
    go()
    with scope.staff():
        payment = order.payments.get()
    gateway.stop()

    payment_follow(payment.pk)

    with scope.staff():
        payment.refresh_from_db()
    assert payment.state == PaymentState.OPEN
    assert payment.error.startswith("ProviderError")
    assert payment.next_poll_at > clock.now()


def test_wallets_that_are_not_configured_are_shown_with_the_reason_and_refused(
    cast, client_for, order, gateway
):
    url = reverse("billing:cashier", args=[order.number])
    page = client_for(cast.owner).get(url).content.decode()

    for name in ("支付宝", "翼支付", "微信支付", "测试支付"):
        assert name in page
    assert page.count("商户尚未开通此支付方式") == 4
    for method in ("alipay", "", "../x"):
        assert client_for(cast.owner).post(url, {"method": method}).status_code == 409
    assert payment_states(order) == []


def test_without_the_test_gateway_there_is_no_such_method_and_no_such_callback(settings):
    settings.PAYMENT_LOCAL = {}

    assert [m.code for m in registry.methods() if m.is_usable] == []
    with pytest.raises(errors.ProviderUnavailable):
        registry.provider_get("local")
    assert notify(b"x=1").status_code == 404


def test_the_callback_takes_posts_of_a_sensible_size_only(gateway):
    assert Client().get(NOTIFY).status_code == 405
    assert notify(b"a" * 70_000).status_code == 413
    assert Client().post("/callbacks/payments/alipay/", b"x", "text/plain").status_code == 404


def test_rubbish_does_not_fill_the_database(gateway, monkeypatch):
    monkeypatch.setattr("billing.services.payments.REFUSED_KEPT_PER_HOUR", 3)

    assert {notify(b"x=%d" % n).status_code for n in range(6)} == {400}

    assert outcomes() == [NotificationOutcome.UNVERIFIED] * 3


def test_the_customers_role_sees_no_notifications(cast, gateway, order, go):
    notify(gateway.pay(go()))
    with scope.customer(cast.huachen.pk), pytest.raises(ProgrammingError), transaction.atomic():
        PaymentNotification.objects.count()


def test_a_report_for_another_provider_finds_nothing(cast, order):
    with scope.staff(), pytest.raises(errors.PaymentUnknown):
        payments.payment_apply(
            TradeReport(TradeStatus.CLOSED, "support-portal", "1", Decimal("0.00"), "CNY"),
            provider_code="local",
            at=clock.now(),
        )


def test_finance_sees_payments_and_refused_notifications(
    cast, gateway, order, go, client_for, max_queries
):
    body = gateway.pay(go())
    notify(body.replace(b"6000.00", b"0.01"))
    notify(body)
    client = client_for(cast.staff["finance"])

    with max_queries(15):
        page = client.get("/finance/payments/").content.decode()

    assert order.number in page
    assert "签名无效" in page
    assert order.number not in client.get("/finance/payments/?state=failed").content.decode()
    assert order.number not in client.get("/finance/payments/?after=1").content.decode()


class Tape:
    """Plays a recorded reply back, whatever is asked."""

    def __init__(self, reply: bytes) -> None:
        self.reply = reply

    def open(self, *_: object, **__: object) -> io.BytesIO:
        return io.BytesIO(self.reply)


def recorded(gateway, number: str, **changed: str) -> bytes:
    """Return a reply that the gateway's key has signed, for a nonce of another question."""
    reply = {
        "merchant": "support-portal",
        "number": number,
        "status": "paid",
        "amount": "6000.00",
        "currency": "CNY",
        "trade_no": "T1",
        "paid_at": clock.now().isoformat(),
        "nonce": "0" * 32,
        **changed,
    }
    return json.dumps(sign(reply, keys_of("gateway", gateway.directory).private)).encode()


def test_a_reply_to_another_question_is_not_believed(gateway, monkeypatch):
    provider = replace(gateway.provider(), opener=Tape(recorded(gateway, "1")))
    with pytest.raises(ProviderError, match="another question"):
        provider.query("1")

    monkeypatch.setattr("billing.providers.local.secrets.token_hex", lambda _: "0" * 32)
    assert provider.query("1").status == TradeStatus.PAID
    with pytest.raises(ProviderError, match="another trade"):
        provider.query("2")


@pytest.mark.parametrize(
    "reply", [b"", b"[]", b"{}", b'{"status": "paid"}', b'{"status": 1, "sign": null}', b"<html>"]
)
def test_what_is_no_signed_reply_is_an_error_of_the_provider(gateway, reply):
    provider = replace(gateway.provider(), opener=Tape(reply))
    with pytest.raises(ProviderError):
        provider.close("1")


def test_the_gateway_answers_only_its_merchant(gateway, tmp_path):
    assert gateway.provider().query("1").status == TradeStatus.UNKNOWN
    keys_of("portal", tmp_path / "stranger")
    with pytest.raises(ProviderError):
        replace(gateway.provider(), keys_dir=tmp_path / "stranger").query("1")
    with pytest.raises(ProviderError):
        replace(gateway.provider(), merchant="somebody-else").query("1")


def test_the_gateway_repeats_a_notification_until_it_is_accepted(gateway, mailbox, go):
    mailbox.answers = [b"failure", b"SUCCESS!", b"success"]
    gateway.pay(go())

    bodies = mailbox.wait_for(3)
    time.sleep(0.3)

    assert len(set(bodies)) == 1
    assert len(mailbox.bodies) == 3


def test_the_gateway_refunds_a_part_once_and_never_more_than_was_paid(gateway, order, go):
    gateway.pay(go())
    with scope.staff():
        number = order.payments.get().number
    provider = gateway.provider()

    def refund(refund_number, amount, number=number):
        return provider.refund(
            RefundRequest(
                number=number,
                refund_number=refund_number,
                amount=Decimal(amount),
                total=order.due,
                currency="CNY",
            )
        )

    for _ in range(2):
        assert refund("r1", "5000.00").status == RefundStatus.DONE
    assert refund("r2", "1000.00").status == RefundStatus.DONE
    assert refund("r3", "0.01").code == RefundRefusal.TOO_MUCH
    assert refund("r1", "1.00").code == RefundRefusal.NUMBER_REUSED
    assert refund("r4", "1.00", number="404").code == RefundRefusal.NOT_PAID


def test_a_changed_payment_address_is_refused_by_the_gateway(gateway, go):
    with pytest.raises(AssertionError, match="400"):
        gateway.open(go().replace("6000.00", "1.00"))
