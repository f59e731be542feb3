"""Search in Chinese and Latin text with PostgreSQL alone: overlapping character pairs (isolation.md, Chinese search).

A run of Chinese characters gives each pair of neighbours and its last character as tokens, so that any word of two or
more characters is found exactly and one character by prefix. Latin words and digits are
lower-cased tokens of their own.
The stored vector and the query are written as literals: PostgreSQL's text parser has no say in what a token is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from django.contrib.postgres.search import SearchQuery
from typing_extensions import override

TOKENS_MAX = 12_000  # positions above 16,383 are folded together, and a vector holds 1 MB
_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUNS = re.compile(rf"([{_HAN}]+)|([^\W_{_HAN}]+)")


def tokens(text: str) -> list[str]:
    """Return the tokens of ``text`` in order: 服务器 gives 服务, 务器, 器; ``Error 42`` gives error, 42."""
    return [token for run, is_han in _runs(text) for token in (_pairs(run) if is_han else [run])]


def vector(*texts: str) -> str:
    """Return the texts as a ``tsvector`` literal with positions, to be stored in a ``SearchVectorField``."""
    parts: list[str] = []
    position = 0
    for text in texts:
        for token in tokens(text):
            position += 1
            if position > TOKENS_MAX:
                return " ".join(parts)
            parts.append(f"'{token}':{position}")
        position += 1  # a phrase does not reach from one text into the next
    return " ".join(parts)


def query(text: str) -> str:
    """Return ``text`` as a ``tsquery`` literal, empty when there is nothing to look for.

    Every run has to be found, in any order. Within a Chinese run the pairs follow each other; a single character and a
    Latin word match as prefixes.
    """
    return " & ".join(
        _phrase(run) if is_han and len(run) > 1 else f"'{run}':*"
        for run, is_han in _runs(text[:200])
    )


def marked(text: str, wanted: str, *, width: int = 0) -> list[tuple[str, bool]]:
    """Return ``text`` in pieces, True for those that ``wanted`` found: for showing why it was found.

    With ``width`` only so many characters around the first find, an ellipsis where something is left out. Pieces are
    plain text: whoever shows them escapes them.
    """
    plain, places = _folded(text)
    runs = sorted({run for run, _ in _runs(wanted[:200])}, key=len, reverse=True)
    finds = list(re.finditer("|".join(map(re.escape, runs)), plain)) if runs else []
    spans = [(places[find.start()], places[find.end() - 1] + 1) for find in finds]
    begin, end = 0, len(text)
    if width:
        begin = max(0, (spans[0][0] if spans else 0) - width // 4)
        end = min(end, begin + width)
    pieces = [("…", False)] if begin else []
    at = begin
    for first, last in spans:
        if first >= end or first < at:
            continue
        pieces += [(text[at:first], False), (text[first : min(last, end)], True)]
        at = min(last, end)
    pieces += [(text[at:end], False), ("…" if end < len(text) else "", False)]
    return [piece for piece in pieces if piece[0]]


def _folded(text: str) -> tuple[str, list[int]]:
    """Return ``text`` as tokens are compared, and for each of its characters the place in ``text``."""
    folded: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        form = unicodedata.normalize("NFKC", character).lower()
        folded.append(form)
        places += [place] * len(form)
    return "".join(folded), places


class TextQuery(SearchQuery):
    """A query for ``.filter(search=TextQuery("登录失败"))`` on a ``SearchVectorField``."""

    def __init__(self, text: str) -> None:
        super().__init__(query(text))

    @override
    def as_sql(self, compiler: Any, connection: Any, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        """Return the literal as it is: no text parser in between."""
        sql, params = compiler.compile(self.source_expressions[-1])
        return f"({sql})::tsquery", params


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    for match in _RUNS.finditer(unicodedata.normalize("NFKC", text).lower()):
        yield match.group(), match.group(1) is not None


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] + [run[-1]]


def _phrase(run: str) -> str:
    return "(" + " <-> ".join(f"'{run[i : i + 2]}'" for i in range(len(run) - 1)) + ")"
