"""Adapter of the local test gateway (``billing.providers.local_gateway``). Development and demos only."""

from __future__ import annotations

import json
import secrets
import urllib.request
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
    Redirect,
    RefundRefusal,
    RefundReport,
    RefundRequest,
    RefundStatus,
    TradeRecord,
    TradeReport,
    TradeStatus,
)
from billing.providers.forms import TIMEOUT_SECONDS, SignedForms, opener_past_proxies
from billing.providers.signing import keys_of
from billing.providers.units import instant, yuan, yuan_text


@dataclass
class LocalProvider:
    """Signs requests with the portal's key and trusts nothing that the gateway's key has not signed.

    ``public_url`` is where the customer's browser finds the gateway, ``api_url`` where the workers do.
    """

    merchant: str
    public_url: str
    api_url: str
    keys_dir: Path
    timeout: int = TIMEOUT_SECONDS
    code: str = "local"
    begins_locally: bool = True
    refund_window: timedelta | None = None
    answer_ok: str = "success"
    answer_again: str = "failure"
    opener: urllib.request.OpenerDirector = field(default_factory=opener_past_proxies, repr=False)

    @cached_property
    def forms(self) -> SignedForms:
        """Return the conversation with the gateway; its keys are made at first use."""
        return SignedForms(keys_of("portal", self.keys_dir), self.timeout, self.opener)

    def load(self) -> None:
        """Do nothing: the keys are made at first use."""

    def begin(self, request: PaymentRequest) -> Redirect:
        """Return the signed address of the gateway's page."""
        parameters = {
            "merchant": self.merchant,
            "number": request.number,
            "amount": yuan_text(request.amount),
            "currency": request.currency,
            "subject": request.subject,
            "expires_at": request.expires_at.isoformat(),
            "notify_url": request.notify_url,
            "return_url": request.return_url,
        }
        return Redirect(self.forms.address(f"{self.public_url}/pay", parameters))

    def read_notification(
        self, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> TradeReport:
        """Return what a notification says. Raises NotificationInvalid."""
        try:
            report = _report(self.forms.read(body))
        except ValueError as error:
            raise NotificationInvalid(str(error)) from None
        if not report.reference:
            raise NotificationInvalid("no id")
        return report

    def query(self, number: str) -> TradeReport:
        """Ask for the state of a trade. Raises ProviderError."""
        return self._trade("query", number)

    def close(self, number: str) -> TradeReport:
        """Close a trade; the report says PAID when it already was. Raises ProviderError."""
        return self._trade("close", number)

    def refund(self, request: RefundRequest) -> RefundReport:
        """Give back a part of a paid trade, once per refund number. Raises ProviderError."""
        report = self._refund(
            "refund",
            request.number,
            request.refund_number,
            amount=yuan_text(request.amount),
            currency=request.currency,
            reason=request.reason,
        )
        if report.status == RefundStatus.UNKNOWN:
            raise ProviderError("the reply to a refund must say what became of it")
        return report

    def refund_query(self, number: str, refund_number: str) -> RefundReport:
        """Ask what became of a refund. Raises ProviderError."""
        return self._refund("refund_query", number, refund_number)

    def records(self, day: date) -> list[TradeRecord]:
        """Return what came and went on a day of Shanghai. Raises ProviderError."""
        reply = self._ask("records", day=day.isoformat())
        try:
            if reply["day"] != day.isoformat():
                raise ProviderError("the reply is about another day")
            return [_record(line) for line in json.loads(reply["records"])]
        except (KeyError, TypeError, ValueError) as error:
            raise ProviderError(f"the records cannot be read: {error!r}") from error

    def _trade(self, action: str, number: str) -> TradeReport:
        try:
            report = _report(self._ask(action, number=number))
        except ValueError as error:
            raise ProviderError(f"the reply cannot be read: {error}") from error
        if report.number != number:
            raise ProviderError("the reply is about another trade")
        return report

    def _refund(self, action: str, number: str, refund_number: str, **more: str) -> RefundReport:
        reply = self._ask(action, number=number, refund_number=refund_number, **more)
        try:
            report = _refund_report(reply)
        except (KeyError, ValueError) as error:
            raise ProviderError(f"the reply cannot be read: {error!r}") from error
        if (report.number, report.refund_number) != (number, refund_number):
            raise ProviderError("the reply is about another refund")
        return report

    def _ask(self, action: str, **parameters: str) -> dict[str, str]:
        """Post a signed request and return the verified reply. The nonce ties the reply to this very question."""
        nonce = secrets.token_hex(16)
        reply = self.forms.ask(
            f"{self.api_url}/api/{action}",
            {"merchant": self.merchant, "action": action, "nonce": nonce, **parameters},
        )
        if reply.get("nonce") != nonce:
            raise ProviderError("the reply answers another question")
        return reply


def _report(parameters: Mapping[str, str]) -> TradeReport:
    """Read a verified message. Raises ValueError."""
    try:
        status = TradeStatus(parameters["status"])
        paid_at = instant(parameters["paid_at"]) if status == TradeStatus.PAID else None
        report = TradeReport(
            status=status,
            merchant=parameters["merchant"],
            number=parameters["number"],
            amount=yuan(parameters.get("amount") or "0"),
            currency=parameters.get("currency", ""),
            trade_no=parameters.get("trade_no", ""),
            paid_at=paid_at,
            reference=parameters.get("notify_id", ""),
        )
    except KeyError as error:
        raise ValueError(f"no {error}") from None
    if status == TradeStatus.PAID and not report.trade_no:
        raise ValueError("paid without a trade number")
    return report


def _refund_report(reply: Mapping[str, str]) -> RefundReport:
    """Read a verified reply. Raises KeyError, ValueError."""
    status = RefundStatus(reply["status"])
    at = reply.get("refunded_at", "")
    return RefundReport(
        status=status,
        number=reply["number"],
        refund_number=reply["refund_number"],
        amount=yuan(reply.get("amount") or "0"),
        code=RefundRefusal(reply.get("code", "")),
        reason=reply.get("reason", ""),
        refund_no=reply.get("refund_no", ""),
        refunded_at=instant(at) if at else None,
    )


def _record(line: Mapping[str, str]) -> TradeRecord:
    """Read one line of a verified list. Raises KeyError, TypeError, ValueError."""
    return TradeRecord(
        kind=RecordKind(line["kind"]),
        number=line["number"],
        trade_no=line["trade_no"],
        amount=yuan(line["amount"]),
        currency=line["currency"],
        at=instant(line["at"]),
        refund_number=line["refund_number"],
    )
