"""The back office sees all of billing. Money moves by services only; what an operator may add is an allowance."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from typing_extensions import override

from accounts.access import actor_of
from accounts.admin import ReadOnlyAdmin
from accounts.services.audit import audit_record
from billing.models import (
    AgreementAcceptance,
    ChangeAllowance,
    LedgerTransaction,
    Order,
    Payment,
    PaymentNotification,
)
from core import clock


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


@admin.register(ChangeAllowance)
class ChangeAllowanceAdmin(ReadOnlyAdmin):
    """One more change of the plan than the rule against frequent changes allows, with a reason (domain.md §3)."""

    list_display = ("created_at", "tenant", "reason", "actor_name", "order")
    list_select_related = ("tenant", "order")
    fields = ("tenant", "reason")

    @override
    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return bool(request.user.is_active)

    @override
    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: Any) -> None:
        """Write who allowed it, and when, and an entry in the audit trail."""
        assert isinstance(obj, ChangeAllowance)
        actor, at = actor_of(request), clock.now()
        obj.created_at = at
        for name, value in actor.snapshot().items():
            setattr(obj, name, value)
        obj.save(force_insert=True)
        audit_record(
            action="billing.change_allowed",
            subject=obj.reason,
            actor=actor,
            at=at,
            tenant_id=obj.tenant_id,
        )
