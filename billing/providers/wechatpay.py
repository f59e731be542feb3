"""WeChat Pay 微信支付: Native pay in public-key mode (微信支付公钥), through wechatpayv3.

Signing, the requests, the proof of replies and the decryption are the SDK's; what is asked and what is believed is
decided here. Amounts are fen as whole numbers, in the bill yuan. Errors (4xx) carry no signature: TLS vouches for them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any

from wechatpayv3 import WeChatPay, WeChatPayType

from billing.providers.base import (
    NotificationInvalid,
    PaymentRequest,
    ProviderError,
    QrCode,
    RecordsNotReady,
    RefundRefusal,
    RefundReport,
    RefundRequest,
    RefundStatus,
    TradeRecord,
    TradeReport,
    TradeStatus,
)
from billing.providers.forms import keys_in
from billing.providers.units import fen, from_fen, instant
from billing.providers.wechatpay_bill import bill_records
from core.clock import local

CONNECT_SECONDS, READ_SECONDS = 5, 10
SIGNATURE_TYPE = "WECHATPAY2-SHA256-RSA2048"
# WeChat's own rule: a message whose timestamp is further away may be a replay.
CLOCKS_APART = timedelta(minutes=5)
CODE_LIFETIME = timedelta(minutes=115)  # WeChat honours a code for two hours
CODE_MAX = 512
APIV3_KEY_BYTES = 32
REASON_MAX, DESCRIPTION_MAX = 80, 127
NO_TRADE = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"})
STATUSES = {
    "NOTPAY": TradeStatus.OPEN,
    "USERPAYING": TradeStatus.OPEN,
    "SUCCESS": TradeStatus.PAID,
    "REFUND": TradeStatus.PAID,  # it was paid, and something of it went back
    "CLOSED": TradeStatus.CLOSED,
    "REVOKED": TradeStatus.CLOSED,
    "PAYERROR": TradeStatus.FAILED,
}
REFUND_STATUSES = {
    "SUCCESS": (RefundStatus.DONE, RefundRefusal.NONE),
    "PROCESSING": (RefundStatus.PENDING, RefundRefusal.NONE),
    "CLOSED": (RefundStatus.REFUSED, RefundRefusal.OTHER),
    "ABNORMAL": (RefundStatus.REFUSED, RefundRefusal.ACCOUNT_GONE),
}
REFUSALS = {
    "TRADE_OVERDUE": RefundRefusal.WINDOW_OVER,
    "NOT_ENOUGH": RefundRefusal.NO_FUNDS,
    "USER_ACCOUNT_ABNORMAL": RefundRefusal.ACCOUNT_GONE,
    "INVALID_REQUEST": RefundRefusal.OTHER,
    "ORDER_NOT_READY": RefundRefusal.NOT_PAID,
    **dict.fromkeys(NO_TRADE, RefundRefusal.NOT_PAID),
}
# INVALID_REQUEST has many causes; these words of its message are the ones that lead somewhere else.
REFUSAL_WORDS = (("期限", RefundRefusal.WINDOW_OVER), ("退款金额", RefundRefusal.TOO_MUCH))


@dataclass
class WeChatPayProvider:
    """One merchant number with one application. ``serial_no`` is that of the merchant's certificate."""

    mchid: str
    app_id: str
    serial_no: str
    private_key_file: Path
    apiv3_key_file: Path
    public_key_id: str
    public_key_file: Path
    api_url: str
    code: str = "wechatpay"
    begins_locally: bool = False
    refund_window: timedelta | None = timedelta(days=365)
    answer_ok: str = '{"code": "SUCCESS", "message": "成功"}'
    answer_again: str = '{"code": "FAIL", "message": "失败"}'
    merchant: str = field(init=False)

    def __post_init__(self) -> None:
        self.merchant = f"{self.mchid}/{self.app_id}"

    @cached_property
    def client(self) -> Any:
        """Return the SDK's client. Raises OSError for files that cannot be read, ValueError for keys."""
        try:
            client = WeChatPay(
                wechatpay_type=WeChatPayType.NATIVE,
                mchid=self.mchid,
                appid=self.app_id,
                cert_serial_no=self.serial_no,
                private_key=self.private_key_file.read_text(),
                apiv3_key=self.apiv3_key_file.read_text().strip(),
                public_key=self.public_key_file.read_text(),
                public_key_id=self.public_key_id,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
            )
        except OSError:
            raise
        except Exception as error:  # all that the SDK raises
            raise ValueError(str(error)) from error
        client._core._gate_way = self.api_url  # the SDK knows WeChat's own only
        return client

    def load(self) -> None:
        """Read the keys now. Raises OSError, ValueError."""
        keys_in(self.private_key_file, self.public_key_file)
        if len(self.apiv3_key_file.read_bytes().strip()) != APIV3_KEY_BYTES:
            raise ValueError(f"not a key of {APIV3_KEY_BYTES} bytes: {self.apiv3_key_file}")

    def begin(self, request: PaymentRequest) -> QrCode:
        """Have a code made that the customer scans. Raises ProviderError."""
        status, reply = self._ask(
            self.client.pay,
            description=request.subject[:DESCRIPTION_MAX],
            out_trade_no=request.number,
            amount={"total": fen(request.amount), "currency": request.currency},
            time_expire=local(request.expires_at).isoformat(timespec="seconds"),
            notify_url=request.notify_url,
        )
        if status != HTTPStatus.OK:
            raise _error(status, reply)
        code = reply.get("code_url")
        if not isinstance(code, str) or not code.startswith("weixin://") or len(code) > CODE_MAX:
            raise ProviderError("the reply has no code")
        return QrCode(code, CODE_LIFETIME)

    def read_notification(
        self, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> TradeReport:
        """Return what a notification says. Raises NotificationInvalid.

        Checked before the SDK sees it: that it is signed with the one key known here (the SDK would go and look for
        others), in the one way, and not long ago.
        """
        given = {name.lower(): value for name, value in headers.items()}
        if given.get("wechatpay-signature-type") != SIGNATURE_TYPE:
            raise NotificationInvalid("another way of signing")
        if given.get("wechatpay-serial") != self.public_key_id:
            raise NotificationInvalid("signed with a key that is not known here")
        _must_be_fresh(given.get("wechatpay-timestamp", ""), at)
        try:
            message = self.client.callback(given, body)
        except Exception as error:  # the SDK raises whatever the rubbish leads to
            raise NotificationInvalid(f"{type(error).__name__}: it cannot be read") from None
        if not message:
            raise NotificationInvalid("the signature or the encryption is wrong")
        try:
            if not str(message["event_type"]).startswith("TRANSACTION."):
                raise ValueError("not about a trade")
            return _report(message["resource"], reference=str(message["id"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise NotificationInvalid(f"it cannot be read: {error!r}") from None

    def query(self, number: str) -> TradeReport:
        """Ask for the state of a trade. Raises ProviderError."""
        status, reply = self._ask(self.client.query, out_trade_no=number)
        if reply.get("code") in NO_TRADE:
            return self._without_money(number, TradeStatus.UNKNOWN)
        if status != HTTPStatus.OK:
            raise _error(status, reply)
        try:
            report = _report(reply)
        except (KeyError, TypeError, ValueError) as error:
            raise ProviderError(f"the reply cannot be read: {error!r}") from error
        if report.number != number:
            raise ProviderError("the reply is about another trade")
        return report

    def close(self, number: str) -> TradeReport:
        """Close a trade; PAID when it already was. Raises ProviderError."""
        status, reply = self._ask(self.client.close, out_trade_no=number)
        if reply.get("code") in {"ORDERPAID", "ORDER_PAID", "ORDER_CLOSED", "ORDERCLOSED"}:
            return self.query(number)
        if status != HTTPStatus.NO_CONTENT and reply.get("code") not in NO_TRADE:
            raise _error(status, reply)
        return self._without_money(number, TradeStatus.CLOSED)

    def refund(self, request: RefundRequest) -> RefundReport:
        """Give back a part of a paid trade, once per refund number. Raises ProviderError."""
        status, reply = self._ask(
            self.client.refund,
            out_refund_no=request.refund_number,
            out_trade_no=request.number,
            amount={
                "refund": fen(request.amount),
                "total": fen(request.total),
                "currency": request.currency,
            },
            reason=request.reason[:REASON_MAX],
        )
        if status == HTTPStatus.OK:
            return _refund_report(reply, request.number, request.refund_number)
        word = str(reply.get("code", ""))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or word not in REFUSALS:
            raise _error(status, reply)
        known = self.refund_query(request.number, request.refund_number)
        if known.status != RefundStatus.UNKNOWN and known.amount == request.amount:
            return known
        said = str(reply.get("message", ""))
        code = next((code for words, code in REFUSAL_WORDS if words in said), REFUSALS[word])
        return RefundReport(
            RefundStatus.REFUSED,
            request.number,
            request.refund_number,
            request.amount,
            code=code if known.status == RefundStatus.UNKNOWN else RefundRefusal.NUMBER_REUSED,
            reason=f"{word} {said}".strip(),
        )

    def refund_query(self, number: str, refund_number: str) -> RefundReport:
        """Ask what became of a refund. Raises ProviderError."""
        status, reply = self._ask(self.client.query_refund, out_refund_no=refund_number)
        if status == HTTPStatus.NOT_FOUND and reply.get("code") in NO_TRADE:
            return RefundReport(RefundStatus.UNKNOWN, number, refund_number, from_fen(0))
        if status != HTTPStatus.OK:
            raise _error(status, reply)
        return _refund_report(reply, number, refund_number)

    def records(self, day: date) -> list[TradeRecord]:
        """Return the lines of a day's bill. Raises ProviderError, RecordsNotReady."""
        status, reply = self._ask(self.client.trade_bill, bill_date=day.isoformat())
        if reply.get("code") == "NO_STATEMENT_EXIST":
            return []
        if reply.get("code") == "STATEMENT_CREATING":
            raise RecordsNotReady(f"the bill of {day} is not made yet")
        if status != HTTPStatus.OK or reply.get("hash_type") != "SHA1":
            raise _error(status, reply)
        address, digest = str(reply.get("download_url", "")), str(reply.get("hash_value", ""))
        try:
            status, packed = self.client.download_bill(address)
        except Exception as error:  # the SDK raises plain exceptions
            raise ProviderError(f"the bill cannot be fetched: {error}") from error
        if status != HTTPStatus.OK or not isinstance(packed, bytes):
            raise ProviderError(f"the bill cannot be fetched: {status}")
        try:
            return bill_records(packed, sha1=digest)
        except ValueError as error:
            raise ProviderError(f"the bill cannot be read: {error}") from error

    def _ask(
        self, call: Callable[..., tuple[int, str | bytes]], **arguments: Any
    ) -> tuple[int, dict[str, Any]]:
        """Return status and reply of a call of the SDK; a success is proved. Raises ProviderError."""
        try:
            status, text = call(**arguments)
        except Exception as error:  # the SDK raises plain exceptions for a wrong signature
            raise ProviderError(f"{type(error).__name__}: {error}") from error
        try:
            reply = json.loads(text) if text else {}
        except (ValueError, RecursionError) as error:
            raise ProviderError(f"{status}: the reply cannot be read") from error
        if not isinstance(reply, dict):
            raise ProviderError(f"{status}: the reply is not an object")
        return status, reply

    def _without_money(self, number: str, status: TradeStatus) -> TradeReport:
        return TradeReport(status, self.merchant, number, from_fen(0), "CNY")


def _must_be_fresh(timestamp: str, at: datetime) -> None:
    if not timestamp.isascii() or not timestamp.isdigit():
        raise NotificationInvalid("no timestamp")
    if abs(int(at.timestamp()) - int(timestamp)) > CLOCKS_APART.total_seconds():
        raise NotificationInvalid("signed too long ago, or in the future")


def _error(status: int, reply: Mapping[str, Any]) -> ProviderError:
    return ProviderError(f"{status} {reply.get('code', '')} {reply.get('message', '')}".strip())


def _report(trade: Mapping[str, Any], *, reference: str = "") -> TradeReport:
    """Read a proved message about a trade. Raises KeyError, TypeError, ValueError."""
    status = STATUSES.get(trade["trade_state"])
    if status is None:
        raise ValueError(f"unknown state {trade['trade_state']}")
    is_paid = status == TradeStatus.PAID
    money = trade["amount"] if is_paid else trade.get("amount") or {"total": 0, "currency": "CNY"}
    report = TradeReport(
        status=status,
        merchant=f"{trade['mchid']}/{trade['appid']}",
        number=str(trade["out_trade_no"]),
        amount=from_fen(money["total"]),
        currency=str(money["currency"]),
        trade_no=str(trade.get("transaction_id", "")),
        paid_at=instant(trade["success_time"]) if is_paid else None,
        reference=reference,
    )
    if is_paid and not report.trade_no:
        raise ValueError("paid without a trade number")
    return report


def _refund_report(reply: Mapping[str, Any], number: str, refund_number: str) -> RefundReport:
    """Read a proved reply about a refund. Raises ProviderError."""
    if (reply.get("out_trade_no"), reply.get("out_refund_no")) != (number, refund_number):
        raise ProviderError("the reply is about another refund")
    try:
        status, code = REFUND_STATUSES[reply["status"]]
        arrived = reply.get("success_time")
        return RefundReport(
            status,
            number,
            refund_number,
            amount=from_fen(reply["amount"]["refund"]),
            code=code,
            reason="" if code == RefundRefusal.NONE else str(reply["status"]),
            refund_no=str(reply.get("refund_id", "")),
            refunded_at=instant(arrived) if arrived else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProviderError(f"the reply cannot be read: {error!r}") from error
