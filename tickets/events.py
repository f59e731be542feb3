"""What upper rooms can react to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class TicketSubmitted:
    """A customer opened a ticket."""

    tenant_id: int
    ticket_id: int
    at: datetime


@dataclass(frozen=True)
class TicketAnswered:
    """A person of staff replied in public."""

    tenant_id: int
    ticket_id: int
    message_id: int
    at: datetime


@dataclass(frozen=True)
class TicketResolved:
    """Staff gave a solution; the customer is asked to confirm."""

    tenant_id: int
    ticket_id: int
    at: datetime


@dataclass(frozen=True)
class TicketClosed:
    """The ticket ended, by the customer or by time."""

    tenant_id: int
    ticket_id: int
    at: datetime


@dataclass(frozen=True)
class TicketReopened:
    """The customer took up a solved or closed ticket again."""

    tenant_id: int
    ticket_id: int
    at: datetime
