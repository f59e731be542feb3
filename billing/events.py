"""What upper rooms can react to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class OrderCompleted:
    """An order was fulfilled: what it bought is in force."""

    tenant_id: int
    order_id: int
    number: str
    at: datetime


@dataclass(frozen=True)
class InvoiceReversed:
    """An issued invoice was reversed: refunds that waited for it can go on."""

    tenant_id: int
    order_id: int
    invoice_id: int
    at: datetime
