"""The back office of the help centre."""

from django.contrib import admin

from onlineservice.models import Article


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin[Article]):
    list_display = ("title", "section", "position", "is_published")
    list_filter = ("section", "is_published")
    search_fields = ("title", "title_en")
