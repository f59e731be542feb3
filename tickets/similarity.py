"""Pure rule of how much two concerns look alike, on the tokens of ``core.search``."""

from __future__ import annotations

from core import search

# From here on two tickets are shown as looking alike.
ALIKE = 0.5
_COMMON_LEAST = 2


def likeness(one: str, other: str) -> float:
    """Return the share of the shorter text's tokens that stand in the other one too, 0.0 to 1.0.

    A single common token says nothing. The last character of a run, which search adds for prefixes, does not count.
    """
    first, second = _tokens(one), _tokens(other)
    common = first & second
    if len(common) < min(_COMMON_LEAST, len(first), len(second)) or not common:
        return 0.0
    return len(common) / min(len(first), len(second))


def _tokens(text: str) -> set[str]:
    return {token for token in search.tokens(text) if len(token) > 1}
