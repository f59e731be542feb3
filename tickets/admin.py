"""The back office edits categories; tickets and clocks are written by services only."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from tickets.models import (
    Clock,
    ClockEvent,
    ClockStage,
    Incident,
    Rating,
    ScopeItem,
    SweepOutage,
    Tag,
    Ticket,
    TicketCategory,
    TicketTemplate,
)


@admin.register(TicketCategory)
class TicketCategoryAdmin(admin.ModelAdmin[TicketCategory]):
    """Categories that the form offers."""

    list_display = ("name", "name_en", "kind", "product_line", "position", "is_active")
    list_filter = ("kind", "is_active")
    list_select_related = ("product_line",)


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin[Tag]):
    """Tags that agents choose from. One that is switched off stays where it was set."""

    list_display = ("name", "name_en", "position", "is_active")
    list_filter = ("is_active",)


@admin.register(ScopeItem)
class ScopeItemAdmin(admin.ModelAdmin[ScopeItem]):
    """What the plans' service does not contain, and what its customer is told."""

    list_display = ("name", "name_en", "position", "is_active")
    list_filter = ("is_active",)


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """Incidents that collect tickets."""

    list_display = ("title", "product_line", "state", "actor_name", "created_at", "over_at")
    list_filter = ("state",)
    list_select_related = ("product_line",)


@admin.register(TicketTemplate)
class TicketTemplateAdmin(admin.ModelAdmin[TicketTemplate]):
    """What the description of a problem starts with, per product line."""

    list_display = ("__str__", "body")
    list_select_related = ("product_line",)


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    """Tickets. Exact counts are not asked for: the table is large."""

    list_display = ("number", "tenant", "title", "severity", "state", "assignee", "created_at")
    list_filter = ("state", "severity", "kind")
    list_select_related = ("tenant", "assignee")
    search_fields = ("number__exact",)
    show_full_result_count = False
    exclude = ("search",)


@admin.register(Clock)
class ClockAdmin(ReadOnlyAdmin):
    """Response clocks."""

    list_display = ("ticket", "kind", "instance", "promised", "started_at", "due_at", "stopped_at")
    list_filter = ("kind", "promised", "outcome")
    list_select_related = ("ticket",)
    search_fields = ("ticket__number__exact",)
    show_full_result_count = False


@admin.register(ClockStage)
class ClockStageAdmin(ReadOnlyAdmin):
    """Stages that clocks passed."""

    list_display = ("clock", "percent", "due_at", "noticed_at")
    list_select_related = ("clock",)
    show_full_result_count = False


@admin.register(ClockEvent)
class ClockEventAdmin(ReadOnlyAdmin):
    """The log of the clocks."""

    list_display = ("created_at", "clock", "kind", "due_at", "target_minutes", "reason")
    list_filter = ("kind",)
    list_select_related = ("clock",)
    raw_id_fields = ("clock",)
    show_full_result_count = False


@admin.register(SweepOutage)
class SweepOutageAdmin(ReadOnlyAdmin):
    """When the timers were late."""

    list_display = ("began_at", "noticed_at", "ended_at", "worst_seconds")


@admin.register(Rating)
class RatingAdmin(ReadOnlyAdmin):
    """What customers thought of the help."""

    list_display = ("ticket", "score", "comment", "actor_name", "created_at")
    list_filter = ("score",)
    list_select_related = ("ticket",)
