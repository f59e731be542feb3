"""Orders paid by the wallets: from the cashier over the worker's code and the provider's notification to the paid order."""

from __future__ import annotations

import base64
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from urllib.parse import unquote
from urllib.request import ProxyHandler, build_opener

import pytest
from django.test import Client
from django.urls import reverse

from billing.checks import payment_methods_load
from billing.models import LedgerAccount, Order, PaymentNotification
from billing.providers import registry
from billing.services import payments
from billing.states import NotificationOutcome, OrderState, PaymentState
from billing.tasks import payment_follow, payments_follow_due
from core import clock
from core.exceptions import DomainError
from core.tenancy import scope
from tests.factories.billing import actor_of, order_for
from tests.providers.conftest import alipay, bestpay, keys, wallet, wechatpay  # noqa: F401  (fixtures)
from tests.providers.samples import WORDS, sealed

pytestmark = pytest.mark.django_db


def facts_of(provider) -> dict[str, str]:
    """Return what the settings would say of this adapter."""
    given = ("id", "no", "file", "url", "mchid")
    return {
        f.name: str(getattr(provider, f.name))
        for f in fields(provider)
        if f.init and f.name.endswith(given)
    }


def configure(settings, provider) -> None:
    setattr(settings, f"PAYMENT_{provider.code.upper()}", facts_of(provider))


@pytest.fixture
def order(cast):
    return order_for(cast.huachen, cast.owner)


@pytest.fixture
def owner(cast, client_for):
    return client_for(cast.owner)


@pytest.fixture
def shop(wallet, settings):  # noqa: F811
    """Any of the three wallets, configured."""
    configure(settings, wallet.provider)
    return wallet


@pytest.fixture
def wechat(wechatpay, settings):  # noqa: F811
    configure(settings, wechatpay.provider)
    return wechatpay


@pytest.fixture
def choose(owner, order):
    """Choose a method at the cashier; return where the browser is sent."""

    def post(method: str) -> str:
        return owner.post(reverse("billing:cashier", args=[order.number]), {"method": method}).url

    return post


def payment_of(order):
    with scope.staff():
        return order.payments.latest("pk")


def state_of(order):
    with scope.staff():
        return Order.objects.get(pk=order.pk).state


def outcomes():
    with scope.staff():
        return list(PaymentNotification.objects.order_by("pk").values_list("outcome", flat=True))


def notify(shop, message):
    body, headers = message
    return Client(enforce_csrf_checks=True).post(
        f"/callbacks/payments/{shop.provider.code}/",
        body,
        content_type="application/json",
        headers=headers,
    )


def code_page(owner, order, **more):
    return owner.get(reverse("billing:payment_code", args=[order.number]), **more)


def arrive(shop, choose, order) -> str:
    """Go to the wallet as the customer; return our number of the payment."""
    address = choose(shop.provider.code)
    if shop.provider.begins_locally:
        build_opener(ProxyHandler({})).open(address, timeout=10).close()
    else:
        payment_follow(payment_of(order).pk)
    return payment_of(order).number


def test_each_wallet_pays_an_order_by_its_notification(shop, choose, order, cast):
    number = arrive(shop, choose, order)

    answer = notify(shop, shop.pay(number))

    assert (answer.status_code, answer.content.decode()) == (200, shop.provider.answer_ok)
    assert state_of(order) == OrderState.PAID
    assert payment_of(order).state == PaymentState.SUCCEEDED
    with scope.staff():
        book = LedgerAccount.objects.get(tenant=cast.huachen, kind=shop.provider.code)
    assert book.balance == Decimal("-6000.00")


def test_each_wallet_pays_an_order_by_its_reply_when_no_notification_came(shop, choose, order):
    shop.pay(arrive(shop, choose, order))

    payment_follow(payment_of(order).pk)

    assert state_of(order) == OrderState.PAID


def test_a_replayed_notification_counts_once(shop, choose, order, cast):
    message = shop.pay(arrive(shop, choose, order))

    assert [notify(shop, message).status_code for _ in range(3)] == [200] * 3

    assert outcomes() == [NotificationOutcome.APPLIED]
    with scope.staff():
        assert LedgerAccount.objects.get(tenant=cast.huachen, kind="sales").balance == Decimal(
            "6000.00"
        )


def test_an_unproved_notification_pays_nothing(shop, choose, order):
    number = arrive(shop, choose, order)
    body, headers = shop.pay(number)

    answer = notify(shop, (body.replace(number.encode()[:8], b"20200101"), headers))
    if shop.provider.code == "wechatpay":
        answer = notify(shop, (body[:-3] + b'A"}', headers))

    assert (answer.status_code, answer.content.decode()) == (400, shop.provider.answer_again)
    assert set(outcomes()) == {NotificationOutcome.UNVERIFIED}
    assert state_of(order) == OrderState.PENDING


WRONG = {
    "alipay": [
        {"app_id": "2021000122600001"},
        {"seller_id": "2088102146225136"},
        {"total_amount": "600000"},
        {"total_amount": "60.00"},
        {"trans_currency": "USD"},
    ],
    "wechatpay": [
        {"mchid": "1900000110"},
        {"appid": "wx0000000000000000"},
        {"total": 6000},
        {"total": 60000000},
        {"currency": "USD"},
    ],
    "bestpay": [
        {"merchantNo": "3178034189555713"},
        {"tradeAmt": "6000"},
        {"tradeAmt": "600001"},
        {"tradeAmt": "60000000"},
        {"ccy": "840"},
    ],
}


@pytest.mark.parametrize("case", range(5))
def test_genuine_money_that_is_not_this_payments_pays_nothing(shop, choose, order, case):
    number = arrive(shop, choose, order)
    told = {WORDS[shop.provider.code]["number"]: number, **WRONG[shop.provider.code][case]}

    answer = notify(shop, sealed(shop, clock.now(), **told))

    assert answer.status_code == 400
    assert outcomes() == [NotificationOutcome.MISMATCH]
    assert state_of(order) == OrderState.PENDING


def test_a_genuine_notification_of_somebody_elses_trade_is_kept_for_finance(shop):
    answer = notify(shop, sealed(shop, clock.now()))

    assert answer.status_code == 400
    assert outcomes() == [NotificationOutcome.UNKNOWN]


# The code


def test_choosing_wechat_pay_asks_nobody_until_the_worker_does(wechat, choose, order, owner):
    address = choose("wechatpay")

    assert address == reverse("billing:payment_code", args=[order.number])
    assert wechat.server.trades == {}
    page = owner.get(address).content.decode()
    assert "正在生成付款二维码" in page
    assert "data:image/svg" not in page


def test_the_page_shows_the_code_once_the_worker_has_had_it_made(
    wechat, choose, order, owner, django_capture_on_commit_callbacks, run_jobs
):
    with django_capture_on_commit_callbacks(execute=True):
        choose("wechatpay")
    run_jobs()

    page = code_page(owner, order).content.decode()

    assert "请使用微信支付扫一扫" in page
    image = unquote(page.split('<img src="data:image/svg+xml;charset=utf-8,')[1].split('"')[0])
    assert image.startswith("<svg")
    assert wechat.server.code not in page
    payment = payment_of(order)
    assert payment.code_text == wechat.server.code
    lives = payment.code_until - clock.now()
    assert timedelta(minutes=110) < lives <= timedelta(minutes=115)
    assert wechat.server.trades[payment.number].fen == 600000


def test_the_page_looks_again_and_hears_only_what_is_new(wechat, choose, order, owner):
    choose("wechatpay")
    first = code_page(owner, order).content.decode()
    version = first.split("code/?version=")[1].split('"')[0]
    asks = {"headers": {"HX-Request": "true"}, "query_params": {"version": version}}
    assert code_page(owner, order, **asks).status_code == 204

    payment_follow(payment_of(order).pk)

    part = code_page(owner, order, **asks)
    assert part.status_code == 200
    assert part.content.decode().strip().startswith("<section")
    assert "data:image/svg" in part.content.decode()


def test_the_page_goes_on_when_the_money_is_there(wechat, choose, order, owner):
    choose("wechatpay")
    payment_follow(payment_of(order).pk)
    notify(wechat, wechat.pay(payment_of(order).number))
    onward = reverse("billing:payment_return", args=[order.number])

    assert code_page(owner, order).url == onward
    again = code_page(owner, order, headers={"HX-Request": "true"})
    assert again.headers["HX-Redirect"] == onward


def test_a_code_that_could_not_be_made_is_tried_again_by_the_sweep(
    wechat, choose, order, owner, monkeypatch
):
    choose("wechatpay")
    wechat.server.loses_reply = True
    payment_follow(payment_of(order).pk)
    assert "暂时无法生成付款二维码" in code_page(owner, order).content.decode()
    later = clock.now() + timedelta(seconds=20)
    monkeypatch.setattr("billing.tasks.clock.now", lambda: later)

    payments_follow_due()

    payment = payment_of(order)
    assert (payment.code_text, payment.error) == (wechat.server.code, "")
    assert len(wechat.server.trades) == 1


def test_a_code_is_made_once_while_it_lives(wechat, choose, order):
    choose("wechatpay")
    payment = payment_of(order)
    payment_follow(payment.pk)
    wechat.server.code = "weixin://wxpay/bizpayurl?pr=another"

    choose("wechatpay")
    payment_follow(payment.pk)

    assert payment_of(order).pk == payment.pk
    assert payment_of(order).code_text == "weixin://wxpay/bizpayurl?pr=bIWSvLezz"


def expire_code(order):
    with scope.staff():
        order.payments.update(code_until=clock.now() - timedelta(seconds=1))


def test_a_code_that_is_over_is_made_again_for_the_same_trade(wechat, choose, order, owner):
    choose("wechatpay")
    payment_follow(payment_of(order).pk)
    expire_code(order)
    assert "二维码已失效" in code_page(owner, order).content.decode()
    wechat.server.code = "weixin://wxpay/bizpayurl?pr=another"

    choose("wechatpay")
    payment_follow(payment_of(order).pk)

    assert payment_of(order).code_text == wechat.server.code
    assert len(wechat.server.trades) == 1


def test_money_that_came_by_an_old_code_is_found_before_a_new_one_is_made(wechat, choose, order):
    choose("wechatpay")
    payment_follow(payment_of(order).pk)
    wechat.server.pay(payment_of(order).number)
    expire_code(order)

    payment_follow(payment_of(order).pk)

    assert state_of(order) == OrderState.PAID


def test_a_code_that_comes_after_the_end_is_thrown_away(wechat, choose, order, owner):
    choose("wechatpay")
    payment = payment_of(order)
    opening = wechat.provider.begin(payments._request(order, payment))
    owner.post(reverse("billing:order_cancel", args=[order.number]))

    with scope.staff():
        payments.payment_code_keep(payment_id=payment.pk, code=opening, at=clock.now())
    payment_follow(payment.pk)

    assert payment_of(order).code_text == ""
    assert wechat.server.trades[payment.number].status == "closed"
    assert state_of(order) == OrderState.CANCELLED


def test_the_code_is_the_owners_alone(wechat, choose, order, cast, client_for):
    choose("wechatpay")

    url = reverse("billing:payment_code", args=[order.number])
    assert client_for(cast.administrator).get(url).status_code == 403
    assert client_for(cast.outsider).get(url).status_code == 404


def test_a_method_that_is_taken_away_leaves_its_attempts_alone(wechat, choose, order, settings):
    choose("wechatpay")
    settings.PAYMENT_WECHATPAY = {}

    payment_follow(payment_of(order).pk)

    payment = payment_of(order)
    assert payment.state == PaymentState.OPEN
    assert payment.error.startswith("ProviderUnavailable")


# What the cashier offers


def test_a_wallet_is_offered_when_it_is_configured(shop, order, owner):
    page = owner.get(reverse("billing:cashier", args=[order.number])).content.decode()

    assert page.count("商户尚未开通此支付方式") == 3
    usable = [method.code for method in registry.methods(order.due) if method.is_usable]
    assert usable == ["local", shop.provider.code]


def test_above_its_limit_a_wallet_is_shown_with_the_way_out_and_refused(
    shop, order, owner, cast, settings
):
    settings.PAYMENT_LIMITS = {shop.provider.code: Decimal("5999.99")}
    url = reverse("billing:cashier", args=[order.number])

    page = owner.get(url).content.decode()
    answer = owner.post(url, {"method": shop.provider.code})

    assert "单笔不超过 5,999.99 元，大额订单建议使用对公转账" in page
    assert answer.status_code == 409
    assert "对公转账" in answer.content.decode()
    with scope.staff():
        assert not order.payments.exists()
    settings.PAYMENT_LIMITS = {shop.provider.code: Decimal("6000.00")}
    assert owner.post(url, {"method": shop.provider.code}).status_code == 302


def test_the_limit_is_the_services_own(shop, order, cast, settings):
    settings.PAYMENT_LIMITS = {shop.provider.code: Decimal("0.01")}
    with scope.customer(cast.huachen.pk), pytest.raises(DomainError) as refused:
        payments.payment_begin(
            order_id=order.pk,
            provider_code=shop.provider.code,
            actor=actor_of(cast.owner),
            at=clock.now(),
        )
    assert refused.value.code == "above_method_limit"


def test_the_first_method_that_can_be_used_is_chosen(shop, order, owner, settings):
    settings.PAYMENT_LOCAL = {}
    page = owner.get(reverse("billing:cashier", args=[order.number])).content.decode()

    assert page.count(" checked") == 1
    assert f'value="{shop.provider.code}" required checked' in page


def test_an_adapter_is_kept_as_long_as_its_settings(shop, settings):
    code = shop.provider.code
    first = registry.provider_get(code)
    assert registry.provider_get(code) is first
    changed = facts_of(shop.provider)
    name = next(iter(changed))
    setattr(settings, f"PAYMENT_{code.upper()}", {**changed, name: "other"})
    assert registry.provider_get(code) is not first


def test_keys_that_cannot_be_read_are_found_at_the_start(shop, settings, tmp_path):
    assert payment_methods_load(app_configs=None) == []
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    code = shop.provider.code
    for path in (broken, tmp_path / "missing.pem"):
        changed = {**facts_of(shop.provider), "private_key_file": str(path)}
        setattr(settings, f"PAYMENT_{code.upper()}", changed)
        (error,) = payment_methods_load(app_configs=None)
        assert error.id == "billing.E001"
        assert error.msg.startswith(f"{code}: ")


def test_an_apiv3_key_of_another_length_is_found_at_the_start(wechat, settings, tmp_path):
    short = tmp_path / "short.key"
    short.write_bytes(base64.b64encode(b"short"))
    settings.PAYMENT_WECHATPAY = {**facts_of(wechat.provider), "apiv3_key_file": str(short)}

    (error,) = payment_methods_load(app_configs=None)
    assert "32 bytes" in error.msg
