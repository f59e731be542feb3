"""Figures of the rules in force at an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from supportplans.exceptions import FigureMissing
from supportplans.models import Figure
from supportplans.states import END_NOTICES, FigureCode


def figure_at(code: FigureCode, at: datetime) -> Decimal:
    """Return the value in force at ``at``, in the code's unit. Raises FigureMissing. One query."""
    return figures_at([code], at)[code]


def figures_at(codes: Sequence[FigureCode], at: datetime) -> dict[FigureCode, Decimal]:
    """Return the values in force at ``at``, each in its code's unit. Raises FigureMissing. One query."""
    rows = Figure.objects.filter(code__in=codes, effective_from__lte=at).order_by("effective_from")
    # Later versions overwrite earlier ones.
    found = {FigureCode(code): value for code, value in rows.values_list("code", "value")}
    if missing := [code for code in codes if code not in found]:
        raise FigureMissing(", ".join(missing))
    return found


def days_of(value: Decimal) -> timedelta:
    """Return a figure in days as a duration."""
    return timedelta(seconds=int(value * 86_400))


def minutes_of(value: Decimal) -> timedelta:
    """Return a figure in minutes as a duration."""
    return timedelta(seconds=int(value * 60))


def terms_offered(figures: Mapping[FigureCode, Decimal]) -> range:
    """Return the terms in years that are sold. ``figures`` hold ``FigureCode.TERM_YEARS``."""
    return range(1, int(figures[FigureCode.TERM_YEARS]) + 1)


def notice_days(figures: Mapping[FigureCode, Decimal]) -> tuple[int, ...]:
    """Return how many days before the end of a term its owner is told, the first reminder first (domain.md §2).

    ``figures`` hold ``END_NOTICES``.
    """
    return tuple(sorted({int(figures[code]) for code in END_NOTICES} - {0}, reverse=True))


def hours_of(value: Decimal) -> timedelta:
    """Return a figure in hours as a duration."""
    return timedelta(seconds=int(value * 3_600))
