"""Invoices of paid orders: the customer asks, finance issues and reverses (domain.md §4)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.validators import validate_email
from django.db import transaction

from accounts.access import Actor
from accounts.services.audit import audit_record
from billing import invoice_exceptions as errors
from billing.events import InvoiceReversed
from billing.locks import lock_invoices, lock_orders
from billing.models import Invoice, Order
from billing.selectors.invoices import invoiceable_amount, is_invoiceable
from billing.states import LIVE_INVOICE_STATES, InvoiceState
from core.events import publish
from core.files import PDF, validate_upload
from core.money import ZERO
from messaging.services import notify
from supportplans.locks import lock_tenant_of

TITLE_MOST = 100
TAX_NUMBER = re.compile(r"[0-9A-Z]{15,20}")
INVOICE_NUMBER = re.compile(r"[0-9A-Z]{8,40}")


@transaction.atomic
def invoice_request(
    *, order_id: int, title: str, tax_number: str, email: str, actor: Actor, at: datetime
) -> Invoice:
    """Ask for an invoice over what was paid for an order and not refunded, in CNY.

    Raises InvoiceTitleInvalid, TaxNumberInvalid, InvoiceEmailInvalid, OrderNotInvoiceable, InvoiceExists,
    NothingToInvoice.
    """
    title, tax_number, email = title.strip(), tax_number.strip().upper(), email.strip()
    _must_be_readable(title, tax_number, email)
    order = _lock_order(order_id)
    if not is_invoiceable(order):
        raise errors.OrderNotInvoiceable
    if Invoice.objects.filter(order=order, state__in=LIVE_INVOICE_STATES).exists():
        raise errors.InvoiceExists
    amount = invoiceable_amount(order)
    if amount <= ZERO:
        raise errors.NothingToInvoice
    return Invoice.objects.create(
        tenant_id=order.tenant_id,
        order=order,
        title=title,
        tax_number=tax_number,
        email=email,
        amount=amount,
        created_at=at,
        **actor.snapshot(),
    )


@transaction.atomic
def invoice_withdraw(*, invoice_id: int, actor: Actor, at: datetime) -> Invoice:
    """Cancel a request that finance has not met yet; another one may follow. Raises InvoiceNotOpen."""
    invoice = _lock(invoice_id)
    if not invoice.can_become(InvoiceState.WITHDRAWN):
        raise errors.InvoiceNotOpen
    invoice.state = InvoiceState.WITHDRAWN
    invoice.save(update_fields=["state"])
    _audit("billing.invoice_withdraw", invoice, actor, at)
    return invoice


@transaction.atomic
def invoice_issue(
    *, invoice_id: int, invoice_number: str, file: File[Any], actor: Actor, at: datetime
) -> Invoice:
    """Record that finance has issued the invoice, with its number and its PDF; the customer is told.

    Raises InvoiceNotOpen, InvoiceNumberInvalid, InvoiceNumberUsed, InvoiceAmountChanged, and what
    ``core.files.validate_upload`` refuses.
    """
    number = _number(invoice_number, field="invoice_number")
    facts = validate_upload(file, allowed=frozenset({PDF}))
    invoice = _lock(invoice_id)
    if not invoice.can_become(InvoiceState.ISSUED):
        raise errors.InvoiceNotOpen
    if Invoice.objects.filter(invoice_number=number).exists():
        raise errors.InvoiceNumberUsed(field="invoice_number")
    if invoiceable_amount(invoice.order) != invoice.amount:
        raise errors.InvoiceAmountChanged
    invoice.state, invoice.invoice_number, invoice.issued_at = InvoiceState.ISSUED, number, at
    invoice.issued_by = actor.name
    invoice.file, invoice.file_name, invoice.content_type = file, facts.name, facts.content_type
    invoice.save(
        update_fields=[
            "state",
            "invoice_number",
            "issued_at",
            "issued_by",
            "file",
            "file_name",
            "content_type",
        ]
    )
    _audit("billing.invoice_issue", invoice, actor, at)
    _tell("billing.invoice_issued", invoice, number, at)
    return invoice


@transaction.atomic
def invoice_reverse(
    *, invoice_id: int, reversal_number: str, actor: Actor, at: datetime
) -> Invoice:
    """Record the red-letter invoice that cancels an issued one; refunds that waited for it go on, the customer is told.

    Raises InvoiceNotIssued, InvoiceNumberInvalid.
    """
    number = _number(reversal_number, field="reversal_number")
    invoice = _lock(invoice_id)
    if not invoice.can_become(InvoiceState.REVERSED):
        raise errors.InvoiceNotIssued
    invoice.state, invoice.reversal_number, invoice.reversed_at = InvoiceState.REVERSED, number, at
    invoice.save(update_fields=["state", "reversal_number", "reversed_at"])
    _audit("billing.invoice_reverse", invoice, actor, at)
    publish(
        InvoiceReversed(
            tenant_id=invoice.tenant_id, order_id=invoice.order_id, invoice_id=invoice.pk, at=at
        )
    )
    _tell("billing.invoice_reversed", invoice, number, at)
    return invoice


def _must_be_readable(title: str, tax_number: str, email: str) -> None:
    if not title or len(title) > TITLE_MOST or not title.isprintable():
        raise errors.InvoiceTitleInvalid(field="title")
    if not TAX_NUMBER.fullmatch(tax_number):
        raise errors.TaxNumberInvalid(field="tax_number")
    try:
        validate_email(email)
    except ValidationError:
        raise errors.InvoiceEmailInvalid(field="email") from None


def _number(text: str, *, field: str) -> str:
    number = text.strip().upper()
    if not INVOICE_NUMBER.fullmatch(number):
        raise errors.InvoiceNumberInvalid(field=field)
    return number


def _lock_order(order_id: int) -> Order:
    lock_tenant_of(Order, id=order_id)
    return lock_orders().get(pk=order_id)


def _lock(invoice_id: int) -> Invoice:
    """Return the invoice, locked after its tenant and order. Raises Invoice.DoesNotExist."""
    order = _lock_order(Invoice.objects.values_list("order_id", flat=True).get(pk=invoice_id))
    invoice = lock_invoices().select_related("tenant").get(pk=invoice_id)
    invoice.order = order
    return invoice


def _audit(action: str, invoice: Invoice, actor: Actor, at: datetime) -> None:
    audit_record(
        action=action,
        subject=invoice.reversal_number or invoice.invoice_number or invoice.order.number,
        actor=actor,
        at=at,
        tenant_id=invoice.tenant_id,
        details={"order": invoice.order.number, "amount": f"{invoice.amount:.2f}"},
    )


def _tell(kind: str, invoice: Invoice, number: str, at: datetime) -> None:
    notify(
        kind,
        key=f"{invoice.pk}-{number}",
        audience=["tenant:owner"],
        context={
            "order_number": invoice.order.number,
            "invoice_number": number,
            "amount": f"{invoice.amount:,.2f}",
        },
        url="/support/invoices/",
        tenant_id=invoice.tenant_id,
        at=at,
    )
