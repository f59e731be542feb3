"""What the portal asks of a payment provider. One adapter per provider behind this interface; no database in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class TradeStatus(StrEnum):
    """What a provider says of a trade."""

    UNKNOWN = "unknown"  # the provider has never seen it: the customer has not opened its page
    OPEN = "open"
    PAID = "paid"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True)
class PaymentRequest:
    """What the customer is sent to the provider with. ``amount`` in ``currency``, two places."""

    number: str
    amount: Decimal
    currency: str
    subject: str
    expires_at: datetime
    notify_url: str
    return_url: str


@dataclass(frozen=True)
class TradeReport:
    """A provider's verified word on one trade: from a notification or from the reply to a query.

    ``number`` is our number of the payment, ``trade_no`` the provider's. ``reference`` is the id of the notification,
    empty for replies. ``paid_at`` is by the provider's clock.
    """

    status: TradeStatus
    merchant: str
    number: str
    amount: Decimal
    currency: str
    trade_no: str = ""
    paid_at: datetime | None = None
    reference: str = ""


class ProviderError(Exception):
    """The provider did not answer, or not in a way that can be trusted. Nothing is known; ask again later."""


class NotificationInvalid(Exception):
    """A message that claims to come from the provider cannot be read or its signature is wrong."""


class Provider(Protocol):
    """One payment provider. ``payment_url`` and ``read_notification`` are local; the others talk to the outside and
    are called by workers only."""

    code: str
    merchant: str
    # What the provider wants to read in answer to a notification that was dealt with, and to one that was not.
    answer_ok: str
    answer_again: str

    def payment_url(self, request: PaymentRequest) -> str:
        """Return the signed address of the provider's page."""

    def read_notification(self, body: bytes, headers: Mapping[str, str]) -> TradeReport:
        """Return what a notification says. Raises NotificationInvalid."""

    def query(self, number: str) -> TradeReport:
        """Ask for the state of a trade. Raises ProviderError."""

    def close(self, number: str) -> TradeReport:
        """Close a trade so that it can no longer be paid; PAID when it already was. Raises ProviderError."""

    def refund(self, number: str, *, refund_number: str, amount: Decimal) -> None:
        """Give back ``amount`` (CNY) of a paid trade, once per ``refund_number``. Raises ProviderError."""
