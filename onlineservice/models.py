"""Help articles: published text, the same for everyone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class Article(models.Model):
    """One article of the help centre, in both languages. The text uses ``##`` headings and plain lines."""

    slug = models.SlugField(max_length=60, unique=True)
    section = models.CharField(_("栏目"), max_length=40)
    section_en = models.CharField(max_length=60)
    title = models.CharField(_("标题"), max_length=100)
    title_en = models.CharField(max_length=150)
    body = models.TextField(_("正文"))
    body_en = models.TextField()
    position = models.PositiveSmallIntegerField(default=0)
    is_published = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("帮助文档")
        verbose_name_plural = _("帮助文档")
        ordering: ClassVar = ["position", "id"]

    @override
    def __str__(self) -> str:
        return self.text("title")

    def get_absolute_url(self) -> str:
        """Return the article's page."""
        return reverse("onlineservice:article_detail", args=[self.slug])

    def text(self, field: str) -> str:
        """Return a text in the current language."""
        english = (get_language() or "").startswith("en")
        return str(getattr(self, f"{field}_en" if english else field))

    @property
    def heading(self) -> str:
        """Return the section's name in the current language."""
        return self.text("section")

    @property
    def content(self) -> str:
        """Return the body in the current language."""
        return self.text("body")
