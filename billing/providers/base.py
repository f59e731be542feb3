"""What the portal asks of a payment provider. One adapter per provider behind this interface; no database in here.

Money is ``Decimal`` CNY with two places on this side of the interface, whatever unit a provider counts in. Instants
are aware. ``number`` (a payment's) and ``refund_number`` are ours, ``trade_no`` and ``refund_no`` the provider's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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


class RefundStatus(StrEnum):
    """What a provider says of a refund."""

    # Only in answer to ``refund_query``: never seen, or refused and not remembered. Asking for it again is safe.
    UNKNOWN = "unknown"
    PENDING = "pending"  # accepted, on its way; ``refund_query`` tells the end
    DONE = "done"  # final: the customer has it
    REFUSED = "refused"  # final for this number: nothing was given back, ``code`` says why


class RefundRefusal(StrEnum):
    """Why a refund was refused, in words that all providers share; ``RefundReport.reason`` has the provider's own."""

    NONE = ""
    WINDOW_OVER = "window_over"  # too long after the payment: the money goes another way
    ACCOUNT_GONE = (
        "account_gone"  # the payer's account or card cannot take it: the money goes another way
    )
    NO_FUNDS = "no_funds"  # our account there is too low: the same number may be tried again once it is filled
    NOT_PAID = "not_paid"
    TOO_MUCH = "too_much"
    NUMBER_REUSED = "number_reused"  # this number was used for another trade or sum
    OTHER = "other"


class RecordKind(StrEnum):
    """What a line of a provider's day is."""

    PAYMENT = "payment"
    REFUND = "refund"


@dataclass(frozen=True)
class PaymentRequest:
    """What the customer is to pay. ``amount`` in ``currency``. The same number comes with the same words every time."""

    number: str
    amount: Decimal
    currency: str
    subject: str
    expires_at: datetime
    notify_url: str
    return_url: str


@dataclass(frozen=True)
class Redirect:
    """The customer's browser goes to the provider's page at this signed address, any number of times."""

    url: str


@dataclass(frozen=True)
class QrCode:
    """The customer scans this text with the provider's app. After ``lifetime`` a new one is to be made."""

    text: str
    lifetime: timedelta


Opening = Redirect | QrCode


@dataclass(frozen=True)
class TradeReport:
    """A provider's verified word on one trade: from a notification or from the reply to a query.

    ``merchant`` is who received the money in the provider's words (merchant and app id), to be compared with the
    provider's ``merchant``. ``reference`` is the id of the notification, empty for replies. ``paid_at`` is by the
    provider's clock.
    """

    status: TradeStatus
    merchant: str
    number: str
    amount: Decimal
    currency: str
    trade_no: str = ""
    paid_at: datetime | None = None
    reference: str = ""


@dataclass(frozen=True)
class RefundRequest:
    """What is to be given back: ``amount`` of a payment over ``total``. Idempotent by ``refund_number``."""

    number: str
    refund_number: str
    amount: Decimal
    total: Decimal
    currency: str
    reason: str = ""


@dataclass(frozen=True)
class RefundReport:
    """A provider's word on one refund. ``refunded_at`` is by its clock, where it names an instant."""

    status: RefundStatus
    number: str
    refund_number: str
    amount: Decimal
    code: RefundRefusal = RefundRefusal.NONE
    reason: str = ""
    refund_no: str = ""
    refunded_at: datetime | None = None


@dataclass(frozen=True)
class TradeRecord:
    """One line of a provider's day: money that came (PAYMENT) or went back (REFUND). ``amount`` is positive in both.

    ``number`` is the payment's in both; ``refund_number`` is empty for payments. ``at`` is by the provider's clock.
    """

    kind: RecordKind
    number: str
    trade_no: str
    amount: Decimal
    currency: str
    at: datetime
    refund_number: str = ""


class ProviderError(Exception):
    """The provider did not answer, or not in a way that can be trusted. Nothing is known; ask again later."""


class RecordsNotReady(ProviderError):
    """The provider has not finished its list of that day; it will be there later."""


class NotificationInvalid(Exception):
    """A message that claims to come from the provider cannot be read, is too old, or its signature is wrong."""


class Provider(Protocol):
    """One payment provider.

    ``read_notification`` is local, and so is ``begin`` where ``begins_locally`` says so; everything else talks to the
    outside and is called by workers only, outside of any transaction.
    """

    code: str
    # What ``TradeReport.merchant`` must be.
    merchant: str
    begins_locally: bool
    # How long after the payment the provider gives money back; None without an end.
    refund_window: timedelta | None
    # What the provider wants to read in answer to a notification that was dealt with, and to one that was not.
    answer_ok: str
    answer_again: str

    def load(self) -> None:
        """Read the keys now instead of at first use. Raises OSError, ValueError for keys that cannot be read."""

    def begin(self, request: PaymentRequest) -> Opening:
        """Return how the customer gets to pay. The same request may begin again and leads to the same trade.

        Raises ProviderError where it is not local.
        """

    def read_notification(
        self, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> TradeReport:
        """Return what a notification that arrived at ``at`` says. Raises NotificationInvalid.

        Nothing in it is believed before its signature is proved. Merchant, currency and amount are reported as they
        stand in it; the caller compares them with its payment.
        """

    def query(self, number: str) -> TradeReport:
        """Ask for the state of a trade. Raises ProviderError."""

    def close(self, number: str) -> TradeReport:
        """Close a trade so that it can no longer be paid; PAID when it already was. Raises ProviderError."""

    def refund(self, request: RefundRequest) -> RefundReport:
        """Give money back, once per refund number however often it is asked; never UNKNOWN. Raises ProviderError.

        After a ProviderError it may have happened: ask ``refund_query`` or send the very same request again.
        """

    def refund_query(self, number: str, refund_number: str) -> RefundReport:
        """Ask what became of a refund. UNKNOWN when the provider has never seen it. Raises ProviderError."""

    def records(self, day: date) -> Sequence[TradeRecord]:
        """Return what came and went on a day of Shanghai, in order of time. Raises ProviderError, RecordsNotReady."""
