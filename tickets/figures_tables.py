"""How the figures of tickets are shown: tables, the sentences and bars of charts, the rows of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from core.charts import Series, StackedBars
from core.clock import local
from core.exports import Cell
from core.templatetags.ui import duration
from supportplans.states import PlanCode, Severity
from tickets.figures_forms import MONTH, instant_of, months_from
from tickets.selectors.compliance import Compliance, ComplianceTable, compliance_table
from tickets.selectors.statistics import (
    BARS,
    Ratings,
    ResponseTimes,
    agent_names,
    backlog,
    ratings_between,
    response_times,
)

POINTS = 12


@dataclass(frozen=True)
class Group:
    """Compliance by one thing: its heading and a row per value."""

    heading: str
    rows: list[tuple[str, Compliance]]


@dataclass(frozen=True)
class Figures:
    """All figures of a range of months, as known at an instant."""

    total: Compliance
    groups: list[Group]
    times: ResponseTimes
    ratings: Ratings
    charts: list[StackedBars]


def figures_of(
    first: date, last: date, narrowed: Mapping[str, str], *, at: datetime, for_staff: bool
) -> Figures:
    """Return the figures of the months from ``first`` to ``last``, of the rows that the scope sees.

    Four queries; for staff one more, with the backlog and a table by agent.
    """
    start, end = instant_of(first), instant_of(months_from(last, 1))
    until = min(end, at)
    table = compliance_table(start, end, until=until, **narrowed)
    times = response_times(start, end, **narrowed)
    charts = [_months_chart(first, last, table), _times_chart(times)]
    groups = [
        Group(_("月份"), list(table.by_month.items())),
        Group(_("支持计划"), _labelled(table.by_plan, PlanCode.choices)),
        Group(_("级别"), _labelled(table.by_severity, Severity.choices)),
    ]
    if for_staff:
        groups.append(Group(_("人员"), _by_agent(table)))
        charts.append(_backlog_chart(start, until))
    return Figures(table.total, groups, times, ratings_between(start, end), charts)


def figures_headers() -> list[str]:
    """Return the heads of the columns of ``figures_rows``."""
    return [_("分组"), _("项目"), _("承诺"), _("达成"), _("未达成"), _("达成率（%）")]


def figures_rows(figures: Figures) -> Iterator[list[Cell]]:
    """Yield the tables one below the other, the whole first."""
    yield [_("合计"), "", *_cells(figures.total)]
    for group in figures.groups:
        for label, compliance in group.rows:
            yield [group.heading, label, *_cells(compliance)]


def _cells(compliance: Compliance) -> list[Cell]:
    return [compliance.promised, compliance.kept, compliance.missed, compliance.share]


def _labelled(
    found: Mapping[str, Compliance], choices: Sequence[tuple[str, Any]]
) -> list[tuple[str, Compliance]]:
    return [(str(label), found[code]) for code, label in choices if code in found]


def _by_agent(table: ComplianceTable) -> list[tuple[str, Compliance]]:
    names = agent_names([pk for pk in table.by_agent if pk is not None])
    rows = [
        (names[pk] if pk is not None else _("尚未响应"), compliance)
        for pk, compliance in table.by_agent.items()
    ]
    return sorted(rows, key=lambda row: -row[1].promised)


def _months_chart(first: date, last: date, table: ComplianceTable) -> StackedBars:
    months = [first]
    while months[-1] < last:
        months.append(months_from(months[-1], 1))
    rows = [table.by_month.get(month.strftime(MONTH), Compliance()) for month in months]
    total = table.total
    title = _("没有到期的响应承诺")
    if total.promised:
        title = _("%(promised)d 次响应承诺，达成 %(kept)d 次，达成率 %(share)s%%") % {
            "promised": total.promised,
            "kept": total.kept,
            "share": total.share,
        }
    return StackedBars(
        title=title,
        categories=tuple(month.strftime(MONTH) for month in months),
        series=(
            Series(_("达成"), tuple(row.kept for row in rows)),
            Series(_("未达成"), tuple(row.missed for row in rows)),
        ),
        unit=_("单位：次"),
    )


def _times_chart(times: ResponseTimes) -> StackedBars:
    title = _("还没有响应")
    if times.p50_seconds is not None and times.p90_seconds is not None:
        title = _("一半的响应在 %(p50)s内，九成在 %(p90)s内") % {
            "p50": duration(timedelta(seconds=times.p50_seconds)),
            "p90": duration(timedelta(seconds=times.p90_seconds)),
        }
    ends = (0, *BARS)
    labels = [f"{low}–{high}" for low, high in zip(ends, BARS, strict=False)]
    return StackedBars(
        title=title,
        categories=(*labels, f">{BARS[-1]}"),
        series=(Series(_("响应次数（按用时，分钟）"), times.bars),),
        unit=_("单位：次"),
    )


def _backlog_chart(start: datetime, until: datetime) -> StackedBars:
    """Draw what was open at twelve instants, evenly spaced and ending with the last one."""
    step = (until - start) / POINTS
    points = [start + step * n for n in range(1, POINTS + 1)]
    counts = backlog(points)
    title = _("未解决工单 %(left)d 件，期间最多 %(most)d 件") % {
        "left": counts[-1],
        "most": max(counts),
    }
    return StackedBars(
        title=title,
        categories=tuple(f"{local(point):%m-%d}" for point in points),
        series=(Series(_("未解决工单"), tuple(max(0, count) for count in counts)),),
        unit=_("单位：件"),
    )
