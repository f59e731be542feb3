"""From chapters to PDF."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.template.loader import render_to_string
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from core.charts import render_svg
from core.clock import local
from reports.chapters import TicketChapter
from reports.fonts import FAMILY, WEIGHTS, font_file, prepare_fonts

STYLESHEET = Path(__file__).resolve().parent / "report.css"


@dataclass(frozen=True)
class ReportDocument:
    """What is printed: whose month, the chapters, which sources were left out."""

    customer: str
    plan: str
    month: datetime
    made_at: datetime
    manager: str
    tickets: TicketChapter
    missing_sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Printed:
    """A finished PDF."""

    content: bytes
    pages: int


def print_report(document: ReportDocument, brand: str) -> Printed:
    """Typeset the report. Fetches nothing: fonts and styles are local files."""
    prepare_fonts()
    month = local(document.month)
    last = month.replace(day=monthrange(month.year, month.month)[1])
    title = f"{month.year} 年 {month.month} 月"
    page = render_to_string(
        "reports/report.html",
        {
            "document": document,
            "title": title,
            "period": f"{month:%Y-%m-%d} 至 {last:%Y-%m-%d}",
            "brand": brand,
            "chart": render_svg(document.tickets.chart),
        },
    )
    fonts = FontConfiguration()
    styles = [
        CSS(string=_font_faces(), font_config=fonts),
        CSS(filename=str(STYLESHEET), font_config=fonts),
    ]
    laid_out = HTML(string=page).render(stylesheets=styles, font_config=fonts)
    return Printed(content=bytes(laid_out.write_pdf() or b""), pages=len(laid_out.pages))


def _font_faces() -> str:
    return "".join(
        f'@font-face {{ font-family: "{FAMILY}"; font-weight: {weight}; src: url("{font_file(name).as_uri()}"); }}'
        for name, weight in WEIGHTS.items()
    )
