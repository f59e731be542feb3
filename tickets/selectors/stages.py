"""The stages of clocks: figures that operators change, with their effective date."""

from __future__ import annotations

from datetime import datetime

from supportplans.selectors.figures import figures_at
from supportplans.states import FigureCode
from tickets.sla import BREACH

STAGE_FIGURES = [FigureCode.WARN_FIRST, FigureCode.WARN_AGAIN, FigureCode.ESCALATE]


def stages_at(at: datetime) -> list[int]:
    """Return the percentages of a clock that starts at ``at``, rising, the due instant among them. One query."""
    return sorted({BREACH, *(int(value) for value in figures_at(STAGE_FIGURES, at).values())})
