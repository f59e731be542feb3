"""The back office of plans: prices and targets get a new row with its effective date; what holds is not rewritten."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from typing_extensions import override

from accounts.access import actor_of
from accounts.admin import ReadOnlyAdmin
from accounts.services.audit import audit_record
from core import clock
from supportplans.forms import FigureForm, VersionForm
from supportplans.models import (
    Agreement,
    AssuranceWindow,
    Entitlement,
    Figure,
    PaidLine,
    Plan,
    PlanPrice,
    ProductLine,
    ResourcePool,
    ResponseTarget,
    ServiceItem,
    Subscription,
)


class VersionedAdmin(admin.ModelAdmin[models.Model]):
    """Rows with an effective date are added, never changed: what was promised or charged by them stays explained.

    Each addition stands in the audit trail and in the row's own history.
    """

    form = VersionForm

    @override
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        audit_record(
            action=f"{obj._meta.app_label}.{obj._meta.model_name}_add",
            subject=str(obj),
            actor=actor_of(request),
            at=clock.now(),
            tenant_id=None,
            details={"id": obj.pk, "effective_from": obj.effective_from.isoformat()},
        )

    @override
    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(PlanPrice)
class PlanPriceAdmin(VersionedAdmin):
    list_display = ("plan", "monthly", "effective_from", "note")
    list_select_related = ("plan",)


@admin.register(ResponseTarget)
class ResponseTargetAdmin(VersionedAdmin):
    list_display = ("plan", "severity", "minutes", "effective_from")
    list_select_related = ("plan",)


@admin.register(Figure)
class FigureAdmin(VersionedAdmin):
    form = FigureForm
    list_display = ("code", "value", "effective_from", "note")
    list_filter = ("code",)


@admin.register(Agreement)
class AgreementAdmin(VersionedAdmin):
    list_display = ("version", "effective_from")


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin[Plan]):
    list_display = ("name", "code", "rank", "answered_by", "handled_by", "restore_priority")
    readonly_fields = ("code", "rank")

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Plan | None = None) -> bool:
        return False


@admin.register(ServiceItem, ProductLine, ResourcePool)
class NamedAdmin(admin.ModelAdmin[Any]):
    list_display = ("name", "name_en", "code", "position")


@admin.register(Entitlement)
class EntitlementAdmin(admin.ModelAdmin[Entitlement]):
    list_display = ("item", "plan", "kind", "value", "quota", "action")
    list_filter = ("plan", "kind")
    list_select_related = ("item", "plan")


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "plan", "basis", "state", "starts", "ends")
    list_filter = ("state", "basis", "plan")
    list_select_related = ("tenant", "plan")


@admin.register(PaidLine)
class PaidLineAdmin(ReadOnlyAdmin):
    list_display = (
        "tenant",
        "order_number",
        "kind",
        "plan",
        "starts",
        "ends",
        "list_amount",
        "closed_at",
        "settled_amount",
    )
    list_select_related = ("tenant", "plan")
    search_fields = ("order_number",)


@admin.register(AssuranceWindow)
class AssuranceWindowAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "title", "level", "starts", "ends", "state")
    list_select_related = ("tenant",)
