"""The customers' overview: it shows sections that apps of upper floors add, and knows none of them by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Section:
    """A part of the page: a template and what it shows."""

    template: str
    context: dict[str, Any]


SectionMaker = Callable[[int, datetime], Section]
_makers: dict[str, tuple[int, SectionMaker]] = {}


def overview_section(*, position: int) -> Callable[[SectionMaker], SectionMaker]:
    """Decorate a function of tenant id and instant that makes a section; the lowest position stands first."""

    def register(maker: SectionMaker) -> SectionMaker:
        _makers[f"{maker.__module__}.{maker.__qualname__}"] = (position, maker)
        return maker

    return register


def sections_for(tenant_id: int, at: datetime) -> list[Section]:
    """Return the sections of a tenant's overview in their order."""
    ordered = sorted(_makers.values(), key=lambda entry: entry[0])
    return [make(tenant_id, at) for _position, make in ordered]
