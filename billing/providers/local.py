"""Adapter of the local test gateway (``billing.providers.local_gateway``). Development and demos only."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from http.client import HTTPException
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from billing.providers.base import (
    NotificationInvalid,
    PaymentRequest,
    ProviderError,
    TradeReport,
    TradeStatus,
)
from billing.providers.signing import Keys, SignatureInvalid, keys_of, sign, verify

TIMEOUT_SECONDS = 5
REPLY_MAX_BYTES = 64 * 1024
FIELDS_MAX = 40


@dataclass
class LocalProvider:
    """Signs requests with the portal's key and trusts nothing that the gateway's key has not signed.

    ``public_url`` is where the customer's browser finds the gateway, ``api_url`` where the workers do.
    """

    merchant: str
    public_url: str
    api_url: str
    keys_dir: Path
    code: str = "local"
    answer_ok: str = "success"
    answer_again: str = "failure"
    _opener: urllib.request.OpenerDirector = field(
        default_factory=lambda: urllib.request.build_opener(urllib.request.ProxyHandler({})),
        repr=False,
    )

    @cached_property
    def keys(self) -> Keys:
        """Return the portal's private and the gateway's public key."""
        return keys_of("portal", self.keys_dir)

    def payment_url(self, request: PaymentRequest) -> str:
        """Return the signed address of the gateway's page."""
        parameters = {
            "merchant": self.merchant,
            "number": request.number,
            "amount": f"{request.amount:.2f}",
            "currency": request.currency,
            "subject": request.subject,
            "expires_at": request.expires_at.isoformat(),
            "notify_url": request.notify_url,
            "return_url": request.return_url,
        }
        return f"{self.public_url}/pay?{urlencode(sign(parameters, self.keys.private))}"

    def read_notification(self, body: bytes, headers: Mapping[str, str]) -> TradeReport:
        """Return what a notification says. Raises NotificationInvalid."""
        try:
            pairs = parse_qsl(
                body.decode(),
                keep_blank_values=True,
                strict_parsing=True,
                max_num_fields=FIELDS_MAX,
            )
        except ValueError:
            raise NotificationInvalid("not a form") from None
        parameters = dict(pairs)
        if len(parameters) != len(pairs):
            raise NotificationInvalid("a field comes twice")
        try:
            verify(parameters, self.keys.public)
            report = _report(parameters)
        except (SignatureInvalid, ValueError) as error:
            raise NotificationInvalid(type(error).__name__) from None
        if not report.reference:
            raise NotificationInvalid("no id")
        return report

    def query(self, number: str) -> TradeReport:
        """Ask for the state of a trade. Raises ProviderError."""
        return _trusted(self._ask("query", number=number), number)

    def close(self, number: str) -> TradeReport:
        """Close a trade; the report says PAID when it already was. Raises ProviderError."""
        return _trusted(self._ask("close", number=number), number)

    def refund(self, number: str, *, refund_number: str, amount: Decimal) -> None:
        """Give back a part of a paid trade, once per ``refund_number``. Raises ProviderError."""
        reply = self._ask(
            "refund", number=number, refund_number=refund_number, amount=f"{amount:.2f}"
        )
        if reply.get("refund_number") != refund_number or reply.get("result") != "ok":
            raise ProviderError(f"refund refused: {reply.get('result', '')}")

    def _ask(self, action: str, **parameters: str) -> dict[str, str]:
        """Post a signed request and return the verified reply. The nonce ties the reply to this very question."""
        nonce = secrets.token_hex(16)
        asked = sign(
            {"merchant": self.merchant, "action": action, "nonce": nonce, **parameters},
            self.keys.private,
        )
        url = f"{self.api_url}/api/{action}"  # from the settings
        request = urllib.request.Request(url, data=urlencode(asked).encode())  # noqa: S310
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                reply = json.loads(answer.read(REPLY_MAX_BYTES))
        except (OSError, HTTPException, ValueError) as error:
            raise ProviderError(f"{type(error).__name__}: {error}") from error
        if not isinstance(reply, dict) or not all(
            isinstance(value, str) for value in reply.values()
        ):
            raise ProviderError("the reply is not an object of texts")
        try:
            verify(reply, self.keys.public)
        except SignatureInvalid:
            raise ProviderError("the reply's signature is wrong") from None
        if reply.get("nonce") != nonce:
            raise ProviderError("the reply answers another question")
        return reply


def _trusted(reply: Mapping[str, str], number: str) -> TradeReport:
    try:
        report = _report(reply)
    except ValueError as error:
        raise ProviderError(f"the reply cannot be read: {error}") from error
    if report.number != number:
        raise ProviderError("the reply is about another trade")
    return report


def _report(parameters: Mapping[str, str]) -> TradeReport:
    """Read a verified message. Raises ValueError."""
    try:
        status = TradeStatus(parameters["status"])
        amount = Decimal(parameters.get("amount") or "0.00")
        paid_at = (
            datetime.fromisoformat(parameters["paid_at"]) if status == TradeStatus.PAID else None
        )
        report = TradeReport(
            status=status,
            merchant=parameters["merchant"],
            number=parameters["number"],
            amount=amount,
            currency=parameters.get("currency", ""),
            trade_no=parameters.get("trade_no", ""),
            paid_at=paid_at,
            reference=parameters.get("notify_id", ""),
        )
    except (KeyError, InvalidOperation) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    if status == TradeStatus.PAID and (
        paid_at is None or paid_at.tzinfo is None or not report.trade_no
    ):
        raise ValueError("paid without an instant or a trade number")
    return report
