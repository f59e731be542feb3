"""Alipay's bill of a day: a ZIP archive with lists in GBK, of which the one of details is read."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping

from billing.providers.base import RecordKind, TradeRecord
from billing.providers.units import shanghai, yuan

DETAILS = "业务明细"
SUMMARY = "汇总"
END = "业务明细列表结束"
COLUMNS = (
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "完成时间",
    "订单金额(元)",
    "退款批次号/请求号",
)
KINDS = {"交易": RecordKind.PAYMENT, "退款": RecordKind.REFUND}
LIST_MAX_BYTES = 256 * 1024 * 1024


def bill_records(archive: bytes) -> list[TradeRecord]:
    """Return the lines of a bill, in order of time. Raises ValueError for what is no whole bill."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive), metadata_encoding="gbk") as opened:
            details = [
                entry
                for entry in opened.infolist()
                if DETAILS in entry.filename and SUMMARY not in entry.filename
            ]
            if len(details) != 1 or details[0].file_size > LIST_MAX_BYTES:
                raise ValueError("not one list of details")
            text = opened.read(details[0]).decode("gb18030")
    except zipfile.BadZipFile as error:
        raise ValueError(f"not an archive: {error}") from error
    return sorted(_lines(text), key=lambda record: record.at)


def _lines(text: str) -> list[TradeRecord]:
    lines = text.splitlines()
    if not any(line.startswith("#") and END in line for line in lines):
        raise ValueError("the list is cut off")
    table = [row for row in csv.reader(line for line in lines if not line.startswith("#")) if row]
    if not table:
        raise ValueError("the list has no heads")
    heads = [_head(cell) for cell in table[0]]
    if missing := set(COLUMNS) - set(heads):
        raise ValueError(f"the list lacks {sorted(missing)}")
    rows = [[cell.strip() for cell in row] for row in table[1:]]
    if any(len(row) < len(heads) or any(row[len(heads) :]) for row in rows):
        raise ValueError("a line that does not fit its heads")
    return [_record(dict(zip(heads, row, strict=False))) for row in rows]


def _head(cell: str) -> str:
    return cell.strip().replace("（", "(").replace("）", ")")


def _record(row: Mapping[str, str]) -> TradeRecord:
    try:
        kind = KINDS[row["业务类型"]]
        return TradeRecord(
            kind=kind,
            number=row["商户订单号"],
            trade_no=row["支付宝交易号"],
            amount=yuan(row["订单金额(元)"].removeprefix("-")),  # refunds are written below zero
            currency="CNY",
            at=shanghai(row["完成时间"]),
            refund_number=row["退款批次号/请求号"] if kind == RecordKind.REFUND else "",
        )
    except KeyError as error:
        raise ValueError(f"a line that cannot be read: {error}") from None
