"""Charts as SVG from one definition, for pages and PDF alike.

The title states the finding, values stand on the bars, colours are the portal's tokens as presentation
attributes, which the content security policy allows. Every chart has a table as its alternative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 660, 250
LEFT, RIGHT, TOP, BOTTOM = 36, 8, 28, 28
BAR_WIDTH = 30
GRID_LINES = 4
KEY_LETTER = 12
INK, HINT, LINE = "#131C2B", "#5F6C82", "#E3E8F0"
COLOURS = ("#1A56DB", "#9DB7F2", "#0A6674")
Scale = Callable[[float], float]
FONT = "Report Sans, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"


@dataclass(frozen=True)
class Series:
    """One series of a stacked bar chart: a name and one value per category."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True)
class StackedBars:
    """Bars of stacked counts. ``title`` states what they show; the first series stands on top.

    Where there is a ``unit``, it stands above the bars, after the names of the series.
    """

    title: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""

    def totals(self) -> list[int]:
        """Return the height of each bar."""
        return [
            sum(series.values[n] for series in self.series) for n in range(len(self.categories))
        ]

    def table(self) -> list[tuple[str, list[int]]]:
        """Return the same figures as rows, for those who do not see the picture."""
        return [
            (category, [series.values[n] for series in self.series])
            for n, category in enumerate(self.categories)
        ]


def scale_top(highest: int) -> int:
    """Return the axis' upper end: a round number at or above ``highest`` that the grid divides evenly."""
    for step in (1, 2, 5, 10, 15, 20, 25, 50, 100, 250, 500, 1000):
        if highest <= step * GRID_LINES:
            return step * GRID_LINES
    return ceil(highest / 1000) * 1000


def render_svg(chart: StackedBars) -> SafeString:
    """Return the chart as an ``<svg>`` element with a title and one tooltip per part."""
    top = scale_top(max(chart.totals(), default=0))
    height = HEIGHT - TOP - BOTTOM
    step = (WIDTH - LEFT - RIGHT) / max(1, len(chart.categories))

    def y(value: float) -> float:
        return round(TOP + height * (1 - value / top), 1)

    parts = [_grid(top, y)]
    if chart.unit:
        parts.append(_key(chart))
    for n, category in enumerate(chart.categories):
        middle = round(LEFT + step * (n + 0.5), 1)
        parts.append(_bar(chart, n, middle, y))
        parts.append(_text(middle, HEIGHT - 8, category, HINT))
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg" '
        'font-family="{}" font-size="12"><title>{}</title>{}</svg>',
        WIDTH,
        HEIGHT,
        chart.title,
        FONT,
        chart.title,
        format_html_join("", "{}", ((part,) for part in parts)),
    )


def _grid(top: int, y: Scale) -> SafeString:
    rows = []
    for n in range(GRID_LINES + 1):
        value = top * n // GRID_LINES
        level = y(value)
        rows.append((LEFT, level, WIDTH - RIGHT, level, LINE, LEFT - 8, level + 4, HINT, value))
    return format_html_join(
        "",
        '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}"/>'
        '<text x="{}" y="{}" text-anchor="end" fill="{}">{}</text>',
        rows,
    )


def _key(chart: StackedBars) -> SafeString:
    """Name the series, each beside its colour, and the unit."""
    parts, x = [], LEFT
    for index, series in enumerate(chart.series):
        parts.append(
            format_html(
                '<rect x="{}" y="2" width="10" height="10" rx="2" fill="{}"/><text x="{}" y="11" fill="{}">{}</text>',
                x,
                COLOURS[index % len(COLOURS)],
                x + 15,
                INK,
                series.name,
            )
        )
        x += 30 + KEY_LETTER * len(series.name)
    unit = format_html(
        '<text x="{}" y="11" text-anchor="end" fill="{}">{}</text>', WIDTH - RIGHT, HINT, chart.unit
    )
    return format_html_join("", "{}", ((part,) for part in [*parts, unit]))


def _bar(chart: StackedBars, n: int, middle: float, y: Scale) -> SafeString:
    pieces = []
    below = 0
    for index in reversed(range(len(chart.series))):
        series = chart.series[index]
        value = series.values[n]
        if value:
            upper, lower = y(below + value), y(below)
            pieces.append(
                format_html(
                    '<rect x="{}" y="{}" width="{}" height="{}" rx="2" fill="{}"><title>{}</title></rect>',
                    middle - BAR_WIDTH / 2,
                    upper,
                    BAR_WIDTH,
                    round(lower - upper, 1),
                    COLOURS[index % len(COLOURS)],
                    f"{chart.categories[n]} {series.name} {value}",
                )
            )
        below += value
    pieces.append(_text(middle, y(below) - 6, str(below), INK, bold=True))
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _text(x: float, y: float, text: str, colour: str, *, bold: bool = False) -> SafeString:
    return format_html(
        '<text x="{}" y="{}" text-anchor="middle" fill="{}" font-weight="{}">{}</text>',
        x,
        y,
        colour,
        700 if bold else 400,
        text,
    )
