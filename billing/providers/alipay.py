"""Alipay 支付宝: page pay with RSA2 keys (普通公钥方式), through python-alipay-sdk.

Signing, the requests and the proof of replies are the SDK's; what is asked and what is believed is decided here.
Amounts are yuan as texts, instants are Shanghai's. A trade exists at Alipay only once the customer has opened it there.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from http.client import HTTPException
from pathlib import Path
from typing import Any

from alipay import AliPay, AliPayConfig
from alipay.exceptions import AliPayException, AliPayValidationError

from billing.providers.alipay_bill import bill_records
from billing.providers.base import (
    NotificationInvalid,
    PaymentRequest,
    ProviderError,
    RecordsNotReady,
    Redirect,
    RefundRefusal,
    RefundReport,
    RefundRequest,
    RefundStatus,
    TradeRecord,
    TradeReport,
    TradeStatus,
)
from billing.providers.forms import fields_of, keys_in
from billing.providers.units import shanghai, shanghai_text, yuan, yuan_text
from core import clock

TIMEOUT_SECONDS = 10
SIGN_TYPE = "RSA2"
SUCCESS = "10000"
BUSINESS_FAILED = "40004"
NO_TRADE = "ACQ.TRADE_NOT_EXIST"
NO_BILL = "isp.bill_not_exist"
BILL_MAX_BYTES = 64 * 1024 * 1024
# Yesterday's bill is there by then; without one there was no business that day.
BILL_READY_AT = time(12, tzinfo=clock.SHANGHAI)
STATUSES = {
    "WAIT_BUYER_PAY": TradeStatus.OPEN,
    "TRADE_CLOSED": TradeStatus.CLOSED,
    "TRADE_SUCCESS": TradeStatus.PAID,
    "TRADE_FINISHED": TradeStatus.PAID,
}
# The other party may have paid meanwhile: only a query tells.
NOT_CLOSABLE = frozenset({"ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID"})
NOTHING_KNOWN = frozenset({"ACQ.SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR"})
REFUSALS = {
    "ACQ.TRADE_HAS_FINISHED": RefundRefusal.WINDOW_OVER,
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": RefundRefusal.NO_FUNDS,
    "ACQ.BUYER_ERROR": RefundRefusal.ACCOUNT_GONE,
    "ACQ.BUYER_NOT_EXIST": RefundRefusal.ACCOUNT_GONE,
    "ACQ.DISCORDANT_REPEAT_REQUEST": RefundRefusal.NUMBER_REUSED,
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": RefundRefusal.TOO_MUCH,
    "ACQ.REASON_TRADE_REFUND_FEE_ERR": RefundRefusal.TOO_MUCH,
    "ACQ.TRADE_STATUS_ERROR": RefundRefusal.NOT_PAID,
    "ACQ.REASON_TRADE_STATUS_INVALID": RefundRefusal.NOT_PAID,
    NO_TRADE: RefundRefusal.NOT_PAID,
}


@dataclass
class AlipayProvider:
    """One application at Alipay. ``seller_id`` (2088…) is the account that the money must arrive at."""

    app_id: str
    seller_id: str
    private_key_file: Path
    public_key_file: Path
    gateway_url: str
    timeout: int = TIMEOUT_SECONDS
    code: str = "alipay"
    begins_locally: bool = True
    refund_window: timedelta | None = timedelta(days=365)
    answer_ok: str = "success"
    answer_again: str = "fail"
    merchant: str = field(init=False)

    def __post_init__(self) -> None:
        self.merchant = f"{self.app_id}/{self.seller_id}"

    @cached_property
    def client(self) -> Any:
        """Return the SDK's client. Raises OSError, ValueError for keys that cannot be read."""
        client = AliPay(
            appid=self.app_id,
            app_private_key_string=self.private_key_file.read_text(),
            alipay_public_key_string=self.public_key_file.read_text(),
            sign_type=SIGN_TYPE,
            config=AliPayConfig(timeout=self.timeout),
        )
        client._gateway = self.gateway_url  # the SDK knows Alipay's own two only
        return client

    def load(self) -> None:
        """Read the keys now. Raises OSError, ValueError."""
        keys_in(self.private_key_file, self.public_key_file)

    def begin(self, request: PaymentRequest) -> Redirect:
        """Return the signed address of the page where the customer signs in or scans."""
        content = {
            "out_trade_no": request.number,
            "total_amount": yuan_text(request.amount),
            "subject": request.subject,
            "product_code": "FAST_INSTANT_TRADE_PAY",
            "time_expire": shanghai_text(request.expires_at),
        }
        signed = self.client.client_api(
            "alipay.trade.page.pay",
            content,
            notify_url=request.notify_url,
            return_url=request.return_url,
            timestamp=shanghai_text(clock.now()),
        )
        return Redirect(f"{self.gateway_url}?{signed}")

    def read_notification(
        self, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> TradeReport:
        """Return what a notification says. Raises NotificationInvalid.

        Alipay repeats a notification for a day: its age proves nothing, its id makes it count once.
        """
        fields = fields_of(body)
        if fields.get("sign_type") != SIGN_TYPE or fields.get("charset", "").lower() != "utf-8":
            raise NotificationInvalid("another way of signing or another charset")
        signature = fields.pop("sign", "")
        try:
            genuine = self.client.verify(dict(fields), signature)
        except (AliPayException, ValueError) as error:
            raise NotificationInvalid(type(error).__name__) from None
        if not genuine:
            raise NotificationInvalid("the signature is wrong")
        if fields.get("notify_type") != "trade_status_sync" or not fields.get("notify_id"):
            raise NotificationInvalid("not a notification about a trade")
        try:
            return _report(
                fields,
                merchant=f"{fields['app_id']}/{fields['seller_id']}",
                paid_at=fields.get("gmt_payment", ""),
                reference=fields["notify_id"],
            )
        except (KeyError, ValueError) as error:
            raise NotificationInvalid(f"it cannot be read: {error!r}") from None

    def query(self, number: str) -> TradeReport:
        """Ask for the state of a trade. Raises ProviderError."""
        reply = self._ask("alipay.trade.query", {"out_trade_no": number})
        if _failed_with(reply, {NO_TRADE}):
            return self._without_money(number, TradeStatus.UNKNOWN)
        try:
            report = _report(
                _succeeded(reply), merchant=self.merchant, paid_at=reply.get("send_pay_date", "")
            )
        except (KeyError, ValueError) as error:
            raise ProviderError(f"the reply cannot be read: {error!r}") from error
        if report.number != number:
            raise ProviderError("the reply is about another trade")
        return report

    def close(self, number: str) -> TradeReport:
        """Close a trade; PAID when it already was. Raises ProviderError."""
        reply = self._ask("alipay.trade.close", {"out_trade_no": number})
        if _failed_with(reply, NOT_CLOSABLE):
            return self.query(number)
        if not _failed_with(reply, {NO_TRADE}):
            _succeeded(reply)
        return self._without_money(number, TradeStatus.CLOSED)

    def refund(self, request: RefundRequest) -> RefundReport:
        """Give back a part of a paid trade, once per refund number. Raises ProviderError."""
        reply = self._ask(
            "alipay.trade.refund",
            {
                "out_trade_no": request.number,
                "out_request_no": request.refund_number,
                "refund_amount": yuan_text(request.amount),
                "refund_reason": request.reason,
            },
        )
        word = str(reply.get("sub_code", ""))
        known = word in REFUSALS or word.startswith("ACQ.")
        if reply.get("code") == BUSINESS_FAILED and known and word not in NOTHING_KNOWN:
            return RefundReport(
                RefundStatus.REFUSED,
                request.number,
                request.refund_number,
                request.amount,
                code=REFUSALS.get(word, RefundRefusal.OTHER),
                reason=f"{word} {reply.get('sub_msg', '')}".strip(),
            )
        if _succeeded(reply).get("out_trade_no") != request.number:
            raise ProviderError("the reply is about another trade")
        # Whether money has moved now or had before: only the query speaks of this refund number alone.
        report = self.refund_query(request.number, request.refund_number)
        if report.status == RefundStatus.DONE:
            return report
        return RefundReport(
            RefundStatus.PENDING, request.number, request.refund_number, request.amount
        )

    def refund_query(self, number: str, refund_number: str) -> RefundReport:
        """Ask what became of a refund; Alipay remembers those only that it has made. Raises ProviderError."""
        reply = self._ask(
            "alipay.trade.fastpay.refund.query",
            {
                "out_trade_no": number,
                "out_request_no": refund_number,
                "query_options": ["gmt_refund_pay"],
            },
        )
        unknown = RefundReport(RefundStatus.UNKNOWN, number, refund_number, yuan("0"))
        if _failed_with(reply, {NO_TRADE}):
            return unknown
        if _succeeded(reply).get("refund_status") != "REFUND_SUCCESS":
            return unknown
        if (reply.get("out_trade_no"), reply.get("out_request_no")) != (number, refund_number):
            raise ProviderError("the reply is about another refund")
        try:
            paid_back = reply.get("gmt_refund_pay")
            return RefundReport(
                RefundStatus.DONE,
                number,
                refund_number,
                amount=yuan(reply["refund_amount"]),
                refund_no=str(reply.get("trade_no", "")),
                refunded_at=shanghai(paid_back) if paid_back else None,
            )
        except (KeyError, ValueError) as error:
            raise ProviderError(f"the reply cannot be read: {error!r}") from error

    def records(self, day: date) -> list[TradeRecord]:
        """Return the lines of a day's bill. Raises ProviderError, RecordsNotReady."""
        reply = self._ask(
            "alipay.data.dataservice.bill.downloadurl.query",
            {"bill_type": "trade", "bill_date": day.isoformat()},
        )
        if reply.get("sub_code") == NO_BILL:
            if clock.now() < datetime.combine(day + timedelta(days=1), BILL_READY_AT):
                raise RecordsNotReady(f"the bill of {day} is not made yet")
            return []
        address = str(_succeeded(reply).get("bill_download_url", ""))
        if not address.startswith(("https://", "http://")):
            raise ProviderError("the bill has no address")
        try:
            # The address came in a proved reply.
            with urllib.request.urlopen(address, timeout=self.timeout) as answer:  # noqa: S310
                return bill_records(answer.read(BILL_MAX_BYTES))
        except (OSError, HTTPException, ValueError) as error:
            raise ProviderError(f"the bill cannot be read: {error!r}") from error

    def _ask(self, method: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the proved reply to a signed request. Raises ProviderError."""
        asked = {name: value for name, value in content.items() if value}
        try:
            reply = self.client.server_api(method, asked, timestamp=shanghai_text(clock.now()))
        except (AliPayException, AliPayValidationError, OSError, HTTPException) as error:
            raise ProviderError(f"{type(error).__name__}: {error}") from error
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            # The SDK takes the reply's shape for granted.
            raise ProviderError(f"the reply cannot be read: {error!r}") from error
        if not isinstance(reply, dict):
            raise ProviderError("the reply is not an object")
        return reply

    def _without_money(self, number: str, status: TradeStatus) -> TradeReport:
        return TradeReport(status, self.merchant, number, yuan("0"), "CNY")


def _failed_with(reply: Mapping[str, Any], words: set[str] | frozenset[str]) -> bool:
    return reply.get("code") == BUSINESS_FAILED and reply.get("sub_code") in words


def _succeeded(reply: dict[str, Any]) -> dict[str, Any]:
    """Return a reply that says success. Raises ProviderError."""
    if reply.get("code") != SUCCESS:
        raise ProviderError(
            f"{reply.get('code')} {reply.get('sub_code', '')} {reply.get('sub_msg', '')}"
        )
    return reply


def _report(
    fields: Mapping[str, Any], *, merchant: str, paid_at: object, reference: str = ""
) -> TradeReport:
    """Read a proved message about a trade. Raises KeyError, ValueError."""
    status = STATUSES.get(fields["trade_status"])
    if status is None:
        raise ValueError(f"unknown state {fields['trade_status']}")
    report = TradeReport(
        status=status,
        merchant=merchant,
        number=str(fields["out_trade_no"]),
        amount=yuan(fields["total_amount"]),
        currency=str(fields.get("trans_currency") or "CNY"),  # named only when it is another one
        trade_no=str(fields.get("trade_no", "")),
        paid_at=shanghai(paid_at) if status == TradeStatus.PAID else None,
        reference=reference,
    )
    if status == TradeStatus.PAID and not report.trade_no:
        raise ValueError("paid without a trade number")
    return report
