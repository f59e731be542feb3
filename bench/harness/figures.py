"""A figure: something measured, beside its limit or its peer measured in the same run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Literal

ROUNDS = 7
DIGITS = 4


@dataclass(frozen=True)
class Goal:
    """A bound of the ratio. Goals are ratios, never times: a slower machine slows the peer too."""

    sign: Literal[">=", "<="]
    ratio: float

    def __str__(self) -> str:
        return f"ratio {self.sign} {self.ratio:g}"

    def is_met(self, ratio: float) -> bool:
        """Return True if ``ratio`` keeps to the bound."""
        return ratio >= self.ratio if self.sign == ">=" else ratio <= self.ratio


def at_least(ratio: float) -> Goal:
    """Ask for a ratio of ``ratio`` or more."""
    return Goal(">=", ratio)


def at_most(ratio: float) -> Goal:
    """Ask for a ratio of ``ratio`` or less."""
    return Goal("<=", ratio)


@dataclass(frozen=True)
class Figure:
    """One line of a benchmark: ``value`` of the portal and ``against_value`` of what ``against`` names, in ``unit``.

    ``against_value`` is positive. Without a goal the figure only informs.
    """

    figure: str
    value: float
    unit: str
    against: str
    against_value: float
    goal: Goal | None = None

    @property
    def ratio(self) -> float:
        """Return the value as a multiple of what it is held against."""
        return self.value / self.against_value

    @property
    def met(self) -> bool | None:
        """Return whether the goal is met, None without one. Decided by the exact ratio, not by the printed one."""
        return self.goal.is_met(self.ratio) if self.goal else None

    def line(self, bench: str) -> str:
        """Return the figure as one line of JSON."""
        facts = {
            "bench": bench,
            "figure": self.figure,
            "value": _rounded(self.value),
            "unit": self.unit,
            "against": self.against,
            "against_value": _rounded(self.against_value),
            "ratio": _rounded(self.ratio),
            "goal": str(self.goal) if self.goal else None,
            "met": self.met,
        }
        return json.dumps(facts, ensure_ascii=False, allow_nan=False)


def within(figure: str, value: float, unit: str, *, limit: float) -> Figure:
    """Return a figure that may be as large as a fixed ``limit``."""
    return Figure(figure, value, unit, "limit", limit, at_most(1))


def side_by_side(
    subject: Callable[[], float], peer: Callable[[], float], *, rounds: int = ROUNDS
) -> tuple[float, float]:
    """Measure both back to back, round after round, and return the median of each.

    What disturbs the machine disturbs both. Who begins alternates, and a first round warms up without being counted.
    """
    measured: list[tuple[float, float]] = []
    for turn in range(rounds + 1):
        if turn % 2:
            theirs = peer()
            measured.append((subject(), theirs))
        else:
            ours = subject()
            measured.append((ours, peer()))
    ours, theirs = zip(*measured[1:], strict=True)
    return median(ours), median(theirs)


def _rounded(number: float) -> float:
    """Keep four significant digits: more would be noise."""
    return float(f"{number:.{DIGITS}g}")
