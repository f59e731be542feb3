"""Reactions inside billing. They run in the publisher's transaction."""

from __future__ import annotations

from accounts.access import SYSTEM
from billing.events import InvoiceReversed
from billing.services.refunds import refunds_after_reversal
from billing.services.renewals import auto_renewal_end
from core.events import subscribe
from supportplans.events import SubscriptionChanged


@subscribe(InvoiceReversed)
def invoice_reversed(event: InvoiceReversed) -> None:
    """Let the refunds go on that waited for the invoice to be reversed (domain.md §3)."""
    refunds_after_reversal(order_id=event.order_id, actor=SYSTEM, at=event.at)


@subscribe(SubscriptionChanged)
def subscription_changed(event: SubscriptionChanged) -> None:
    """Stop renewing by itself for who leaves: the next plan starts with it off, as any does (domain.md §2)."""
    if event.kind == "cancelled":
        auto_renewal_end(tenant_id=event.tenant_id)
