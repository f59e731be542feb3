"""Tables that people take along: CSV and XLSX with the same content, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import xlsxwriter
from django.db import models
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from core.clock import local
from core.files import XLSX

Cell = str | int | Decimal | datetime | None
# A spreadsheet takes a text that begins so for a formula, which a customer or a bank could have typed in.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NARROW, WIDE = 12, 40


class ExportFormat(models.TextChoices):
    """The kinds of files."""

    CSV = "csv", "CSV"
    XLSX = "xlsx", "XLSX"


def export_response(
    *, name: str, headers: Sequence[str], rows: Iterable[Sequence[Cell]], file_format: ExportFormat
) -> HttpResponse:
    """Answer with the table as a download ``<name>.<format>``. Amounts stay numbers, instants are in Shanghai time."""
    if file_format == ExportFormat.XLSX:
        body, content_type = _xlsx(headers, rows), XLSX
    else:
        body, content_type = _csv(headers, rows), "text/csv; charset=utf-8"
    response = HttpResponse(body, content_type=content_type)
    response.headers["Content-Disposition"] = content_disposition_header(
        True,  # noqa: FBT003
        f"{name}.{file_format.value}",
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _csv(headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Excel reads UTF-8 only behind a byte order mark."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([_text(header) for header in headers])
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _xlsx(headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    file = io.BytesIO()
    # Texts are written as texts, whatever they look like.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        money = book.add_format({"num_format": "#,##0.00"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        widths = [NARROW] * len(headers)
        for column, header in enumerate(headers):
            sheet.write_string(0, column, header, bold)
        for line, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, Decimal):
                    sheet.write_number(line, column, cell, money)
                elif isinstance(cell, datetime):
                    sheet.write_datetime(line, column, local(cell).replace(tzinfo=None), moment)
                elif isinstance(cell, int):
                    sheet.write_number(line, column, cell)
                elif cell:
                    sheet.write_string(line, column, cell)
                widths[column] = min(WIDE, max(widths[column], len(_plain(cell)) + 2))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
    return file.getvalue()


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{local(cell):%Y-%m-%d %H:%M:%S}"
    return _text(cell) if isinstance(cell, str) else str(cell)


def _text(text: str) -> str:
    """Return a text that no spreadsheet runs: an apostrophe in front says that it is one."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
