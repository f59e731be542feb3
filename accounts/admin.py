"""The back office of people. Read-only where a service owns the change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from typing_extensions import override

from accounts.models import (
    AuditEntry,
    Invitation,
    Membership,
    StaffMember,
    SweepFailure,
    Tenant,
    User,
)


class ReadOnlyAdmin(admin.ModelAdmin[models.Model]):
    """Look, do not touch: rows of this kind are written by services."""

    @override
    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("email", "name", "is_staff", "is_active", "last_login")
    search_fields = ("email", "name")
    exclude = ("password",)


@admin.register(StaffMember)
class StaffMemberAdmin(admin.ModelAdmin[StaffMember]):
    list_display = ("display_name", "title", "roles", "tier", "is_active")
    search_fields = ("display_name", "user__email")
    raw_id_fields = ("user",)


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin[Tenant]):
    list_display = ("name", "account_manager", "service_manager", "created_at", "is_active")
    list_select_related = ("account_manager", "service_manager")
    search_fields = ("name",)
    readonly_fields = ("public_id", "created_at")

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Tenant | None = None) -> bool:
        return False


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "tenant", "role", "is_active")
    list_select_related = ("user", "tenant")
    search_fields = ("user__email", "tenant__name")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("email", "tenant", "role", "expires_at", "accepted_at", "revoked_at")
    list_select_related = ("tenant",)
    exclude = ("token_digest",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "tenant", "actor_name", "action", "subject", "address")
    list_select_related = ("tenant",)
    list_filter = ("action",)
    search_fields = ("subject", "actor_name")
    show_full_result_count = False


@admin.register(SweepFailure)
class SweepFailureAdmin(ReadOnlyAdmin):
    list_display = ("task", "label", "error", "times", "failed_at", "next_try_at")
    list_filter = ("task",)
    search_fields = ("label",)
