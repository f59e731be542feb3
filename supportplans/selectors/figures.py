"""Figures of the rules in force at an instant."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from supportplans.exceptions import FigureMissing
from supportplans.models import Figure
from supportplans.states import FigureCode


def figure_at(code: FigureCode, at: datetime) -> Decimal:
    """Return the value in force at ``at``, in the code's unit. Raises FigureMissing. One query."""
    return figures_at([code], at)[code]


def figures_at(codes: list[FigureCode], at: datetime) -> dict[FigureCode, Decimal]:
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


def hours_of(value: Decimal) -> timedelta:
    """Return a figure in hours as a duration."""
    return timedelta(seconds=int(value * 3_600))
