"""Which articles fit what someone is about to ask."""

from __future__ import annotations

from functools import lru_cache

from core import search
from onlineservice.models import Article

COMPARED = 200
SHOWN = 3
TITLE_WEIGHT = 3
# Fewer common tokens than this are chance.
COMMON_LEAST = 2


def articles_like(text: str, *, limit: int = SHOWN) -> list[Article]:
    """Return the published articles that have most in common with ``text``, the best first. One query.

    A token in the title counts three times. Both languages are looked at; the first ``COMPARED`` articles of the help
    centre are read.
    """
    sought = _tokens(text[:200])
    if not sought:
        return []
    found: list[tuple[int, Article]] = []
    for article in Article.objects.filter(is_published=True)[:COMPARED]:
        title = sought & _tokens(f"{article.title}\n{article.title_en}")
        body = sought & _tokens(f"{article.body}\n{article.body_en}")
        if len(title | body) >= min(COMMON_LEAST, len(sought)):
            found.append((TITLE_WEIGHT * len(title) + len(body), article))
    found.sort(key=lambda pair: (-pair[0], pair[1].position, pair[1].pk))
    return [article for _, article in found[:limit]]


@lru_cache(maxsize=2 * COMPARED)
def _tokens(text: str) -> frozenset[str]:
    """Return the tokens of a text; the single characters that search adds for prefixes do not count."""
    return frozenset(token for token in search.tokens(text) if len(token) > 1)
