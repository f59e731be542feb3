"""The back office of reports."""

from django.contrib import admin

from accounts.admin import ReadOnlyAdmin
from reports.models import MonthlyReport


@admin.register(MonthlyReport)
class MonthlyReportAdmin(ReadOnlyAdmin):
    list_display = ("month", "tenant", "state", "pages", "created_at")
    list_filter = ("state",)
    list_select_related = ("tenant",)
