"""The back office of messages: what was told to whom."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from messaging.models import Delivery, Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "key", "tenant", "expanded_at", "error")
    list_select_related = ("tenant",)
    show_full_result_count = False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "subject", "recipient", "channel", "state", "attempts")
    list_filter = ("state", "channel")
    list_select_related = ("recipient",)
    raw_id_fields = ("message",)
    show_full_result_count = False
