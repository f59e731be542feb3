"""The back office of service orders."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from servicedesk.models import ServiceOrder, ServiceOrderRating


@admin.register(ServiceOrder)
class ServiceOrderAdmin(ReadOnlyAdmin):
    list_display = ("number", "tenant", "item", "scenario", "state", "created_at", "completed_at")
    list_filter = ("state", "origin")
    list_select_related = ("tenant", "item")
    search_fields = ("number",)


@admin.register(ServiceOrderRating)
class ServiceOrderRatingAdmin(ReadOnlyAdmin):
    list_display = ("service_order", "speed", "quality", "suggestion", "created_at")
    list_select_related = ("service_order",)
