"""Chapters of the report: raw figures in, sentences, tables and charts out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.charts import Series, StackedBars
from core.clock import local
from reports.sources.base import TicketFigures, TicketRow


@dataclass(frozen=True)
class Fact:
    """One figure of the first page: a label, the value, what it compares with."""

    label: str
    value: str
    hint: str


@dataclass(frozen=True)
class TicketChapter:
    """工单整体情况 (guide 1.5.8, 服务总结)."""

    findings: tuple[str, ...]
    facts: tuple[Fact, ...]
    chart: StackedBars
    by_product: tuple[tuple[str, int], ...]
    rows: tuple[TicketRow, ...]
    left_out: int


def month_name(month: datetime) -> str:
    """Return 10 月."""
    return f"{local(month).month} 月"


def ticket_chapter(figures: TicketFigures) -> TicketChapter:
    """Say what the month's tickets show. Compliance counts promised first responses only (domain.md §2)."""
    this = figures.months[-1]
    before = figures.months[-2] if len(figures.months) > 1 else None
    compliance = _compliance(figures)
    findings = [_trend(this.total, before.total if before else None, month_name(this.month))]
    if figures.promised:
        late = figures.promised - figures.kept
        findings.append(
            f"承诺时限内完成首次响应 {figures.kept} 件，共 {figures.promised} 件，达成率 {compliance}"
            + ("，首次响应全部达标。" if late == 0 else f"，{late} 件超时。")
        )
    if figures.by_product and this.total:
        name, count = figures.by_product[0]
        findings.append(f"{name}工单最多，{count} 件，占 {round(100 * count / this.total)}%。")
    chart = StackedBars(
        title=findings[0].rstrip("。"),
        categories=tuple(month_name(m.month) for m in figures.months),
        series=(
            Series("紧急工单", tuple(m.urgent for m in figures.months)),
            Series("一般工单", tuple(m.general for m in figures.months)),
        ),
    )
    facts = (
        Fact("工单总数", f"{this.total} 件", f"紧急 {this.urgent}，一般 {this.general}"),
        Fact("首次响应达成率", compliance, f"承诺 {figures.promised} 件"),
        Fact("首次响应中位时长", span(figures.median_seconds), "从提交到首次人工回复"),
    )
    return TicketChapter(
        findings=tuple(findings),
        facts=facts,
        chart=chart,
        by_product=figures.by_product,
        rows=figures.rows,
        left_out=max(0, this.total - len(figures.rows)),
    )


def span(seconds: int | None) -> str:
    """Return 6 分 12 秒; a dash for nothing."""
    if seconds is None:
        return "—"
    whole = timedelta(seconds=seconds)
    minutes, rest = divmod(int(whole.total_seconds()), 60)
    return f"{minutes} 分 {rest} 秒" if minutes else f"{rest} 秒"


def _compliance(figures: TicketFigures) -> str:
    """Return the share of promises kept, cut off to one decimal so that 99.96 % never reads as 100 %."""
    if not figures.promised:
        return "—"
    tenths = 1000 * figures.kept // figures.promised
    return "100%" if tenths == 1000 else f"{tenths / 10:.1f}%"  # noqa: PLR2004


def _trend(total: int, before: int | None, month: str) -> str:
    if before is None:
        return f"{month}工单 {total} 件。"
    if total == before:
        return f"{month}工单 {total} 件，与上月持平。"
    word = "增加" if total > before else "减少"
    return f"{month}工单 {total} 件，较上月{word} {abs(total - before)} 件。"
