"""The sentences of the report follow from its figures."""

from datetime import datetime
from xml.etree import ElementTree

import pytest

from core.charts import Series, StackedBars, render_svg, scale_top
from core.clock import SHANGHAI
from reports.chapters import span, ticket_chapter
from reports.sources.base import MonthCount, TicketFigures


def figures(
    *, this=(4, 15), before=(3, 21), promised=19, kept=19, median=372, products=(("云数据库", 9),)
):
    months = (
        MonthCount(datetime(2026, 9, 1, tzinfo=SHANGHAI), *before),
        MonthCount(datetime(2026, 10, 1, tzinfo=SHANGHAI), *this),
    )
    return TicketFigures(months, promised, kept, median, products, ())


def test_a_month_with_every_promise_kept():
    chapter = ticket_chapter(figures())
    assert chapter.findings == (
        "10 月工单 19 件，较上月减少 5 件。",
        "承诺时限内完成首次响应 19 件，共 19 件，达成率 100%，首次响应全部达标。",
        "云数据库工单最多，9 件，占 47%。",
    )
    assert chapter.facts[2].value == "6 分 12 秒"


@pytest.mark.parametrize(
    ("promised", "kept", "share"),
    [(2000, 1999, "99.9%"), (3, 2, "66.6%"), (0, 0, "—"), (5, 5, "100%")],
)
def test_compliance_never_rounds_up_to_all(promised, kept, share):
    assert ticket_chapter(figures(promised=promised, kept=kept)).facts[1].value == share


def test_an_empty_month_says_so_without_dividing_by_nothing():
    chapter = ticket_chapter(
        figures(this=(0, 0), before=(0, 0), promised=0, kept=0, median=None, products=())
    )
    assert chapter.findings == ("10 月工单 0 件，与上月持平。",)
    assert span(None) == "—"


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 4), (4, 4), (5, 8), (24, 40), (61, 80), (5000, 5000)]
)
def test_the_axis_ends_at_a_round_number(highest, top):
    assert scale_top(highest) == top


def test_a_chart_is_valid_svg_with_a_tooltip_per_part_and_no_inline_style():
    chart = StackedBars(
        "件数 <上升>", ("9 月", "10 月"), (Series("紧急", (1, 0)), Series("一般", (2, 5)))
    )
    drawing = render_svg(chart)
    root = ElementTree.fromstring(drawing)
    titles = [t.text for t in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == ["件数 <上升>", "9 月 一般 2", "9 月 紧急 1", "10 月 一般 5"]
    assert "style=" not in drawing
    assert chart.table() == [("9 月", [1, 2]), ("10 月", [0, 5])]
