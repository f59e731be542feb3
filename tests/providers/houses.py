"""Each adapter with its counterpart behind one face, so that one suite of tests can ask the same of all of them."""

from __future__ import annotations

import urllib.request
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from billing.providers.alipay import AlipayProvider
from billing.providers.base import (
    Opening,
    PaymentRequest,
    Provider,
    Redirect,
    RefundRequest,
)
from billing.providers.bestpay import BestPayProvider
from billing.providers.local_gateway.store import Trouble
from billing.providers.wechatpay import WeChatPayProvider
from core import clock
from tests.billing.conftest import Gateway, Mailbox
from tests.providers import alipay_server, bestpay_server, wechatpay_server
from tests.providers.counterpart import Counterpart, Keys

SUBJECT = "客户支持计划 轻量级"


class House:
    """A provider's adapter and its other side."""

    provider: Provider

    def request(self, number: str, amount: str = "6000.00") -> PaymentRequest:
        return PaymentRequest(
            number=number,
            amount=Decimal(amount),
            currency="CNY",
            subject=SUBJECT,
            expires_at=(clock.now() + timedelta(hours=24)).replace(microsecond=0),
            notify_url="https://portal.example/callbacks/payments/x/",
            return_url="https://portal.example/support/orders/1/payment/",
        )

    def refund_request(
        self, number: str, refund_number: str, amount: str, total: str = "6000.00"
    ) -> RefundRequest:
        return RefundRequest(
            number=number,
            refund_number=refund_number,
            amount=Decimal(amount),
            total=Decimal(total),
            currency="CNY",
            reason="退订",
        )

    def begin(self, number: str, amount: str = "6000.00") -> Opening:
        """Begin, and be the customer who goes to the page or scans the code."""
        opening = self.provider.begin(self.request(number, amount))
        if isinstance(opening, Redirect):
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(opening.url, timeout=10) as page:
                assert page.status == 200
        return opening

    def pay(self, number: str) -> tuple[bytes, dict[str, str]]:
        """Pay as the customer; return the notification and its headers."""
        raise NotImplementedError

    def paid(self, number: str, amount: str = "6000.00") -> tuple[bytes, dict[str, str]]:
        self.begin(number, amount)
        return self.pay(number)

    def refuse_refund(self, code: str) -> None:
        raise NotImplementedError

    def delay_refund(self) -> None:
        raise NotImplementedError

    def settle(self) -> None:
        raise NotImplementedError

    def lose_reply(self, action: str) -> None:
        raise NotImplementedError

    def given_back(self, number: str) -> Decimal:
        raise NotImplementedError

    def stranger(self) -> Provider:
        """Return the same adapter with somebody else's keys."""
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError


class Wallet(House):
    """A wallet whose counterpart is made for these tests."""

    server: Counterpart

    def pay(self, number: str) -> tuple[bytes, dict[str, str]]:
        self.server.pay(number)
        return self.server.notify(number)

    def refuse_refund(self, code: str) -> None:
        self.server.refuses = code

    def delay_refund(self) -> None:
        self.server.delays = True

    def settle(self) -> None:
        self.server.settle()

    def lose_reply(self, action: str) -> None:
        self.server.loses_reply = True

    def given_back(self, number: str) -> Decimal:
        return Decimal(self.server.given_back(number)) / 100

    def stop(self) -> None:
        self.server.stop()


def make_alipay(server: Counterpart, keys: Keys, *, private_file: Path) -> AlipayProvider:
    return AlipayProvider(
        app_id=alipay_server.APP_ID,
        seller_id=alipay_server.SELLER_ID,
        private_key_file=private_file,
        public_key_file=keys.theirs.public_file,
        gateway_url=f"{server.url}/gateway.do",
    )


class Alipay(Wallet):
    def __init__(self, keys: Keys) -> None:
        self.keys, self.server = keys, alipay_server.AlipayServer(keys)
        self.provider = make_alipay(self.server, keys, private_file=keys.ours.private_file)

    def stranger(self) -> Provider:
        return make_alipay(self.server, self.keys, private_file=self.keys.stranger.private_file)


def make_wechatpay(server: Counterpart, keys: Keys, *, private_file: Path) -> WeChatPayProvider:
    secret = keys.ours.directory / "apiv3.key"
    secret.write_text(f"{wechatpay_server.APIV3_KEY}\n")
    return WeChatPayProvider(
        mchid=wechatpay_server.MCHID,
        app_id=wechatpay_server.APP_ID,
        serial_no=wechatpay_server.SERIAL_NO,
        private_key_file=private_file,
        apiv3_key_file=secret,
        public_key_id=wechatpay_server.PUBLIC_KEY_ID,
        public_key_file=keys.theirs.public_file,
        api_url=server.url,
    )


class WeChatPay(Wallet):
    def __init__(self, keys: Keys) -> None:
        self.keys, self.server = keys, wechatpay_server.WeChatPayServer(keys)
        self.provider = make_wechatpay(self.server, keys, private_file=keys.ours.private_file)

    def stranger(self) -> Provider:
        return make_wechatpay(self.server, self.keys, private_file=self.keys.stranger.private_file)


def make_bestpay(server: Counterpart, keys: Keys, *, private_file: Path) -> BestPayProvider:
    return BestPayProvider(
        merchant_no=bestpay_server.MERCHANT_NO,
        private_key_file=private_file,
        public_key_file=keys.theirs.public_file,
        page_url=f"{server.url}/cashier",
        api_url=f"{server.url}/api",
    )


class BestPay(Wallet):
    def __init__(self, keys: Keys) -> None:
        self.keys, self.server = keys, bestpay_server.BestPayServer(keys)
        self.provider = make_bestpay(self.server, keys, private_file=keys.ours.private_file)

    def stranger(self) -> Provider:
        return make_bestpay(self.server, self.keys, private_file=self.keys.stranger.private_file)


class Local(House):
    """The local gateway as it is, over HTTP."""

    def __init__(self, directory: Path, strangers: Path, mailbox: Mailbox) -> None:
        self.mailbox, self.strangers = mailbox, strangers
        self.gateway = Gateway(directory, mailbox)
        self.store = self.gateway.server.get_app().store
        self.provider = self.gateway.provider()
        self.pages: dict[str, str] = {}

    def request(self, number: str, amount: str = "6000.00") -> PaymentRequest:
        plain = super().request(number, amount)
        return PaymentRequest(**{**vars(plain), "notify_url": f"{self.mailbox.origin}/"})

    def begin(self, number: str, amount: str = "6000.00") -> Opening:
        opening = self.provider.begin(self.request(number, amount))
        assert isinstance(opening, Redirect)
        self.pages[number] = self.gateway.open(opening.url)
        return opening

    def pay(self, number: str) -> tuple[bytes, dict[str, str]]:
        before = len(self.mailbox.bodies)
        self.gateway.decide(self.pages[number], "pay")
        return self.mailbox.wait_for(before + 1)[-1], {}

    def refuse_refund(self, code: str) -> None:
        self.store.expect_trouble("refund", Trouble.REFUSE_REFUND, code)

    def delay_refund(self) -> None:
        self.store.expect_trouble("refund", Trouble.KEEP_PENDING, "3600")

    def settle(self) -> None:
        self.store.settle_refunds()

    def lose_reply(self, action: str) -> None:
        self.store.expect_trouble(action, Trouble.LOSE_REPLY)

    def given_back(self, number: str) -> Decimal:
        with self.store.transaction() as db:
            rows = db.execute(
                "SELECT refund.amount FROM refund JOIN trade ON trade.id = trade_id"
                " WHERE trade.number = ? AND refund.status <> 'refused'",
                [number],
            ).fetchall()
        return sum((Decimal(row["amount"]) for row in rows), Decimal(0))

    def stranger(self) -> Provider:
        from dataclasses import replace

        return replace(self.gateway.provider(), keys_dir=self.strangers)

    def stop(self) -> None:
        self.gateway.stop()


def today() -> datetime:
    return clock.local(clock.now())
