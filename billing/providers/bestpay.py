"""BestPay 翼支付 through the signed-form interface (``forms``): RSA-SHA256 over the sorted parameters.

No SDK exists and the merchant's contract brings the interface document. Assumed here, to be checked against it before
the first payment (docs/operator-guide.md lists the same):

- a page at ``page_url`` opened with signed parameters, and one address per action below ``api_url`` that takes signed
  forms and answers flat JSON objects of texts; both sides sign all parameters that are not empty, except ``sign``,
  sorted by name, and name the way of signing in ``signType``;
- amounts are whole fen as texts, the currency is 156 (ISO 4217 of CNY), instants are ``YYYY-MM-DD HH:MM:SS`` of
  Shanghai;
- a refund is told by ``outRequestNo``, made once, and may take a while; a day's bill is a signed list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from billing.providers.base import (
    NotificationInvalid,
    PaymentRequest,
    ProviderError,
    RecordKind,
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
from billing.providers.forms import TIMEOUT_SECONDS, SignedForms, keys_in
from billing.providers.units import fen, from_fen_text, shanghai, shanghai_text
from core import clock

SIGN_TYPE = "RSA-SHA256"
CURRENCIES = {"156": "CNY"}
CODES = {name: code for code, name in CURRENCIES.items()}
NO_TRADE, NO_REFUND, NO_BILL = "TRADE_NOT_EXIST", "REFUND_NOT_EXIST", "BILL_NOT_READY"
NOT_CLOSABLE = frozenset({"TRADE_ALREADY_PAID", "TRADE_ALREADY_CLOSED"})
STATUSES = {
    "WAITFORPAY": TradeStatus.OPEN,
    "SUCCESS": TradeStatus.PAID,
    "FAIL": TradeStatus.FAILED,
    "CLOSE": TradeStatus.CLOSED,
}
REFUND_STATUSES = {
    "SUCCESS": RefundStatus.DONE,
    "PROCESSING": RefundStatus.PENDING,
    "FAIL": RefundStatus.REFUSED,
}
REFUSALS = {
    "REFUND_EXPIRED": RefundRefusal.WINDOW_OVER,
    "BALANCE_NOT_ENOUGH": RefundRefusal.NO_FUNDS,
    "ACCOUNT_ABNORMAL": RefundRefusal.ACCOUNT_GONE,
    "TRADE_NOT_PAID": RefundRefusal.NOT_PAID,
    "REFUND_AMOUNT_EXCEEDED": RefundRefusal.TOO_MUCH,
    "REQUEST_NO_REPEATED": RefundRefusal.NUMBER_REUSED,
    NO_TRADE: RefundRefusal.NOT_PAID,
}
KINDS = {"PAY": RecordKind.PAYMENT, "REFUND": RecordKind.REFUND}


@dataclass
class BestPayProvider:
    """One merchant number at BestPay."""

    merchant_no: str
    private_key_file: Path
    public_key_file: Path
    page_url: str
    api_url: str
    timeout: int = TIMEOUT_SECONDS
    code: str = "bestpay"
    begins_locally: bool = True
    refund_window: timedelta | None = timedelta(days=365)
    answer_ok: str = "success"
    answer_again: str = "fail"
    merchant: str = field(init=False)

    def __post_init__(self) -> None:
        self.merchant = self.merchant_no

    @cached_property
    def client(self) -> SignedForms:
        """Return the conversation with BestPay. Raises OSError, ValueError for keys that cannot be read."""
        return SignedForms(keys_in(self.private_key_file, self.public_key_file), self.timeout)

    def load(self) -> None:
        """Read the keys now. Raises OSError, ValueError."""
        keys_in(self.private_key_file, self.public_key_file)

    def begin(self, request: PaymentRequest) -> Redirect:
        """Return the signed address of BestPay's cashier."""
        parameters = self._signed_by_us(
            outTradeNo=request.number,
            tradeAmt=str(fen(request.amount)),
            ccy=CODES[request.currency],
            subject=request.subject,
            timeExpire=shanghai_text(request.expires_at),
            notifyUrl=request.notify_url,
            returnUrl=request.return_url,
        )
        return Redirect(self.client.address(self.page_url, parameters))

    def read_notification(
        self, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> TradeReport:
        """Return what a notification says. Raises NotificationInvalid."""
        fields = self.client.read(body)
        if fields.get("signType") != SIGN_TYPE or not fields.get("notifyId"):
            raise NotificationInvalid("another way of signing, or no id")
        try:
            return _report(fields, reference=fields["notifyId"])
        except (KeyError, ValueError) as error:
            raise NotificationInvalid(f"it cannot be read: {error!r}") from None

    def query(self, number: str) -> TradeReport:
        """Ask for the state of a trade. Raises ProviderError."""
        reply = self._ask("tradeQuery", outTradeNo=number)
        if reply.get("errorCode") == NO_TRADE:
            return self._without_money(number, TradeStatus.UNKNOWN)
        _must_succeed(reply)
        try:
            report = _report(reply)
        except (KeyError, ValueError) as error:
            raise ProviderError(f"the reply cannot be read: {error!r}") from error
        if report.number != number:
            raise ProviderError("the reply is about another trade")
        return report

    def close(self, number: str) -> TradeReport:
        """Close a trade; PAID when it already was. Raises ProviderError."""
        reply = self._ask("tradeClose", outTradeNo=number)
        if reply.get("errorCode") in NOT_CLOSABLE:
            return self.query(number)
        if reply.get("errorCode") != NO_TRADE:
            _must_succeed(reply)
        return self._without_money(number, TradeStatus.CLOSED)

    def refund(self, request: RefundRequest) -> RefundReport:
        """Give back a part of a paid trade, once per refund number. Raises ProviderError."""
        reply = self._ask(
            "tradeRefund",
            outTradeNo=request.number,
            outRequestNo=request.refund_number,
            refundAmt=str(fen(request.amount)),
            tradeAmt=str(fen(request.total)),
            ccy=CODES[request.currency],
            refundReason=request.reason,
        )
        word = reply.get("errorCode", "")
        if word in REFUSALS:
            return RefundReport(
                RefundStatus.REFUSED,
                request.number,
                request.refund_number,
                request.amount,
                code=REFUSALS[word],
                reason=f"{word} {reply.get('errorMsg', '')}".strip(),
            )
        return _refund_report(reply, request.number, request.refund_number)

    def refund_query(self, number: str, refund_number: str) -> RefundReport:
        """Ask what became of a refund. Raises ProviderError."""
        reply = self._ask("refundQuery", outTradeNo=number, outRequestNo=refund_number)
        if reply.get("errorCode") in {NO_REFUND, NO_TRADE}:
            return RefundReport(RefundStatus.UNKNOWN, number, refund_number, from_fen_text("0"))
        return _refund_report(reply, number, refund_number)

    def records(self, day: date) -> list[TradeRecord]:
        """Return the lines of a day's bill. Raises ProviderError, RecordsNotReady."""
        reply = self._ask("billQuery", billDate=day.isoformat())
        if reply.get("errorCode") == NO_BILL:
            raise RecordsNotReady(f"the bill of {day} is not made yet")
        _must_succeed(reply)
        if reply.get("billDate") != day.isoformat():
            raise ProviderError("the reply is about another day")
        try:
            records = [_record(line) for line in json.loads(reply["records"])]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ProviderError(f"the bill cannot be read: {error!r}") from error
        return sorted(records, key=lambda record: record.at)

    def _ask(self, action: str, **parameters: str) -> dict[str, str]:
        """Return the proved reply to a signed request. Raises ProviderError."""
        reply = self.client.ask(f"{self.api_url}/{action}", self._signed_by_us(**parameters))
        if reply.get("signType") != SIGN_TYPE or reply.get("merchantNo") != self.merchant_no:
            raise ProviderError("the reply is signed in another way, or for somebody else")
        return reply

    def _signed_by_us(self, **parameters: str) -> dict[str, str]:
        return {
            "merchantNo": self.merchant_no,
            "requestDate": shanghai_text(clock.now()),
            "signType": SIGN_TYPE,
            **parameters,
        }

    def _without_money(self, number: str, status: TradeStatus) -> TradeReport:
        return TradeReport(status, self.merchant, number, from_fen_text("0"), "CNY")


def _must_succeed(reply: Mapping[str, str]) -> None:
    if reply.get("success") != "true":
        raise ProviderError(f"{reply.get('errorCode', '')} {reply.get('errorMsg', '')}".strip())


def _report(fields: Mapping[str, str], *, reference: str = "") -> TradeReport:
    """Read a proved message about a trade. Raises KeyError, ValueError."""
    status = STATUSES[fields["tradeStatus"]]
    report = TradeReport(
        status=status,
        merchant=fields["merchantNo"],
        number=fields["outTradeNo"],
        amount=from_fen_text(fields["tradeAmt"]),
        currency=CURRENCIES.get(fields["ccy"], fields["ccy"]),
        trade_no=fields.get("tradeNo", ""),
        paid_at=shanghai(fields["payFinishedDate"]) if status == TradeStatus.PAID else None,
        reference=reference,
    )
    if status == TradeStatus.PAID and not report.trade_no:
        raise ValueError("paid without a trade number")
    return report


def _refund_report(reply: Mapping[str, str], number: str, refund_number: str) -> RefundReport:
    """Read a proved reply about a refund. Raises ProviderError."""
    _must_succeed(reply)
    if (reply.get("outTradeNo"), reply.get("outRequestNo")) != (number, refund_number):
        raise ProviderError("the reply is about another refund")
    try:
        status = REFUND_STATUSES[reply["refundStatus"]]
        arrived = reply.get("refundFinishedDate", "")
        refused = status == RefundStatus.REFUSED
        word = reply.get("refundErrorCode", "")
        return RefundReport(
            status,
            number,
            refund_number,
            amount=from_fen_text(reply["refundAmt"]),
            code=REFUSALS.get(word, RefundRefusal.OTHER) if refused else RefundRefusal.NONE,
            reason=word if refused else "",
            refund_no=reply.get("refundNo", ""),
            refunded_at=shanghai(arrived) if arrived else None,
        )
    except (KeyError, ValueError) as error:
        raise ProviderError(f"the reply cannot be read: {error!r}") from error


def _record(line: Mapping[str, str]) -> TradeRecord:
    """Read one line of a proved bill. Raises KeyError, TypeError, ValueError."""
    return TradeRecord(
        kind=KINDS[line["tradeType"]],
        number=line["outTradeNo"],
        trade_no=line["tradeNo"],
        amount=from_fen_text(line["amount"]),
        currency=CURRENCIES.get(line["ccy"], line["ccy"]),
        at=shanghai(line["finishedDate"]),
        refund_number=line.get("outRequestNo", ""),
    )
