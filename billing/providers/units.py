"""Providers' units into ours and back: yuan as texts, fen as whole numbers, instants of Shanghai. Never a float."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

from core.clock import SHANGHAI, local

_YUAN = re.compile(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?", re.ASCII)
_FEN = re.compile(r"0|[1-9][0-9]{0,11}", re.ASCII)
_INSTANT = "%Y-%m-%d %H:%M:%S"
CENT = Decimal("0.01")
FEN_PER_YUAN = 100


def yuan_text(amount: Decimal) -> str:
    """Return ``6000.00`` for six thousand yuan. Raises ValueError for parts of a fen and for nothing."""
    return str(_whole_fen(amount).quantize(CENT))


def yuan(text: object) -> Decimal:
    """Read an amount in yuan, a text with at most two places. Raises ValueError."""
    if not isinstance(text, str) or not _YUAN.fullmatch(text):
        raise ValueError(f"not an amount in yuan: {text!r}")
    return Decimal(text).quantize(CENT)


def fen(amount: Decimal) -> int:
    """Return ``600000`` for six thousand yuan. Raises ValueError for parts of a fen and for nothing."""
    return int(_whole_fen(amount) * FEN_PER_YUAN)


def from_fen(count: object) -> Decimal:
    """Read an amount in fen, a whole number. Raises ValueError for texts, floats, truth values and less than 0."""
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise ValueError(f"not an amount in fen: {count!r}")
    return (Decimal(count) / FEN_PER_YUAN).quantize(CENT)


def from_fen_text(text: object) -> Decimal:
    """Read an amount in fen that is written as a text. Raises ValueError."""
    if not isinstance(text, str) or not _FEN.fullmatch(text):
        raise ValueError(f"not an amount in fen: {text!r}")
    return from_fen(int(text))


def shanghai(text: object) -> datetime:
    """Read ``2023-12-06 10:39:16`` as an instant of Shanghai. Raises ValueError."""
    if not isinstance(text, str):
        raise ValueError(f"not an instant: {text!r}")
    return datetime.strptime(text, _INSTANT).replace(tzinfo=SHANGHAI)


def shanghai_text(at: datetime) -> str:
    """Return an instant as ``2023-12-06 10:39:16`` of Shanghai."""
    return local(at).strftime(_INSTANT)


def instant(text: object) -> datetime:
    """Read an ISO 8601 instant with its offset. Raises ValueError."""
    if not isinstance(text, str):
        raise ValueError(f"not an instant: {text!r}")
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"an instant without its offset: {text!r}")
    return at


def _whole_fen(amount: Decimal) -> Decimal:
    if amount <= 0 or amount != amount.quantize(CENT):
        raise ValueError(f"not an amount of whole fen: {amount}")
    return amount
