"""Reactions inside billing. They run in the publisher's transaction."""

from __future__ import annotations

from accounts.access import SYSTEM
from billing.events import InvoiceReversed
from billing.services.refunds import refunds_after_reversal
from core.events import subscribe


@subscribe(InvoiceReversed)
def invoice_reversed(event: InvoiceReversed) -> None:
    """Let the refunds go on that waited for the invoice to be reversed (domain.md §3)."""
    refunds_after_reversal(order_id=event.order_id, actor=SYSTEM, at=event.at)
