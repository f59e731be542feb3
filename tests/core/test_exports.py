"""Exported tables open in a spreadsheet without running anything."""

import csv
import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from core.exports import ExportFormat, export_response

AT = datetime(2026, 11, 23, 2, 35, 57, tzinfo=UTC)
HEADERS = ["时间", "备注", "金额", "次数"]
NAMESPACE = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def exported(*rows, file_format=ExportFormat.CSV):
    return export_response(name="收支明细", headers=HEADERS, rows=rows, file_format=file_format)


def cells_of(answer) -> dict[str, str]:
    """Return the cells of a workbook's only sheet, texts as texts."""
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        shared = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        texts = ["".join(item.itertext()) for item in shared.findall("s:si", NAMESPACE)]
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert sheet.findall(".//s:f", NAMESPACE) == [], "a formula"
    return {
        cell.get("r"): texts[int(cell.findtext("s:v", namespaces=NAMESPACE))]
        if cell.get("t") == "s"
        else cell.findtext("s:v", namespaces=NAMESPACE)
        for cell in sheet.findall(".//s:c", NAMESPACE)
    }


def test_a_csv_is_read_by_excel_and_speaks_shanghai_time():
    answer = exported([AT, '充值，首笔"甲"', Decimal("-6000.00"), 3])

    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows == [HEADERS, ["2026-11-23 10:35:57", '充值，首笔"甲"', "-6000.00", "3"]]
    assert "attachment" in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", '=HYPERLINK("http://x")'],
)
def test_a_text_is_never_a_formula(text):
    rows = list(
        csv.reader(
            io.StringIO(exported([AT, text, None, None]).content.decode("utf-8-sig"), newline="")
        )
    )
    assert rows[1][1] == f"'{text}"

    book = exported([AT, text, None, None], file_format=ExportFormat.XLSX)
    assert cells_of(book)["B2"].replace("_x000D_", "\r") == text


def test_a_workbook_keeps_amounts_as_numbers():
    answer = exported(
        [AT, "https://example.com", Decimal("-6000.10"), 3], file_format=ExportFormat.XLSX
    )

    cells = cells_of(answer)
    assert (cells["B1"], cells["B2"], cells["C2"], cells["D2"]) == (
        "备注",
        "https://example.com",
        "-6000.10",
        "3",
    )
    assert cells["A2"].startswith("46349.44")  # 2026-11-23 10:35:57 as a spreadsheet counts days


def test_an_empty_table_has_its_heads():
    assert exported().content.decode("utf-8-sig").strip() == ",".join(HEADERS)
    assert cells_of(exported(file_format=ExportFormat.XLSX))["A1"] == "时间"
