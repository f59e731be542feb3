"""The help centre."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from onlineservice.models import Article
from onlineservice.selectors import articles_like
from supportplans.models import ProductLine

SHOWN = 100
QUERY_MAX = 50


@require_safe
def article_list(request: HttpRequest) -> HttpResponse:
    """Show the articles by section, or those that contain what is searched for."""
    sought = request.GET.get("q", "").strip()[:QUERY_MAX]
    articles = Article.objects.filter(is_published=True)
    for word in sought.split():
        articles = articles.filter(
            Q(title__icontains=word)
            | Q(body__icontains=word)
            | Q(title_en__icontains=word)
            | Q(body_en__icontains=word)
        )
    return render(
        request, "onlineservice/article_list.html", {"articles": articles[:SHOWN], "sought": sought}
    )


@require_safe
def article_hints(request: HttpRequest) -> HttpResponse:
    """Show the articles that fit the title and product of a ticket that is being written."""
    chosen = request.GET.get("product_line", "")
    product = ""
    if chosen.isdecimal() and len(chosen) < 10:  # noqa: PLR2004
        product = str(ProductLine.objects.filter(pk=int(chosen)).first() or "")
    articles = articles_like(f"{request.GET.get('title', '')[:150]}\n{product}")
    return render(request, "onlineservice/article_hints.html", {"articles": articles})


@require_safe
def article_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one article."""
    article = get_object_or_404(Article, slug=slug, is_published=True)
    return render(request, "onlineservice/article_detail.html", {"article": article})
