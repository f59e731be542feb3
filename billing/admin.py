"""The back office sees everything of billing and changes nothing: money moves by services only."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from billing.models import (
    AgreementAcceptance,
    LedgerTransaction,
    Order,
    Payment,
    PaymentNotification,
)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders."""

    list_display = ("number", "tenant", "type", "plan", "years", "amount", "state", "created_at")
    list_filter = ("state", "type", "plan")
    list_select_related = ("tenant", "plan")
    search_fields = ("number",)


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Attempts to pay."""

    list_display = ("number", "tenant", "order", "provider", "amount", "state", "paid_at")
    list_filter = ("state", "provider")
    list_select_related = ("tenant", "order")
    search_fields = ("number", "trade_no")


@admin.register(PaymentNotification)
class PaymentNotificationAdmin(ReadOnlyAdmin):
    """What providers sent."""

    list_display = ("received_at", "provider", "reference", "verified", "outcome")
    list_filter = ("outcome", "provider")


@admin.register(LedgerTransaction)
class LedgerTransactionAdmin(ReadOnlyAdmin):
    """The account book."""

    list_display = ("created_at", "tenant", "kind", "order", "actor_name", "note")
    list_filter = ("kind",)
    list_select_related = ("tenant", "order")


@admin.register(AgreementAcceptance)
class AgreementAcceptanceAdmin(ReadOnlyAdmin):
    """Who accepted which version."""

    list_display = ("created_at", "tenant", "version", "actor_name", "address")
    list_select_related = ("tenant",)
