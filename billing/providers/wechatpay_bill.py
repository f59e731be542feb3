"""WeChat Pay's bill of a day (ALL): gzipped CSV in UTF-8, every value behind a grave accent, two lines of totals."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping

from billing.providers.base import RecordKind, TradeRecord
from billing.providers.units import shanghai, yuan

COLUMNS = (
    "交易时间",
    "微信订单号",
    "商户订单号",
    "交易状态",
    "货币种类",
    "商户退款单号",
    "订单金额",
    "申请退款金额",
)
TOTALS = "总交易单数"
KINDS = {"SUCCESS": RecordKind.PAYMENT, "REFUND": RecordKind.REFUND}
BILL_MAX_BYTES = 256 * 1024 * 1024
GZIP = 16 + zlib.MAX_WBITS


def bill_records(packed: bytes, *, sha1: str) -> list[TradeRecord]:
    """Return the lines of a bill, in order of time. Raises ValueError for what is not the whole bill of this digest."""
    unpacking = zlib.decompressobj(GZIP)
    try:
        bill = unpacking.decompress(packed, BILL_MAX_BYTES)
    except zlib.error as error:
        raise ValueError(f"not gzipped: {error}") from error
    if not unpacking.eof or hashlib.sha1(bill, usedforsecurity=False).hexdigest() != sha1.lower():
        raise ValueError("the bill is not the one that was announced")
    lines = bill.decode("utf-8-sig").splitlines()
    end = next((place for place, line in enumerate(lines) if line.startswith(TOTALS)), 0)
    if not end or len(lines) <= end + 1:
        raise ValueError("the bill is cut off")
    heads = [head.strip() for head in lines[0].split(",")]
    if missing := set(COLUMNS) - set(heads):
        raise ValueError(f"the bill lacks {sorted(missing)}")
    rows = [_cells(line) for line in lines[1:end]]
    if any(len(row) != len(heads) for row in rows) or _cells(lines[end + 1])[0] != str(len(rows)):
        raise ValueError("the bill's lines are not what it says")
    records = [_record(dict(zip(heads, row, strict=True))) for row in rows]
    return sorted(records, key=lambda record: record.at)


def _cells(line: str) -> list[str]:
    """Return the values of a line. Nothing quotes a comma inside a value; the grave accents tell where one begins."""
    return [cell.strip() for cell in line.removeprefix("`").split(",`")]


def _record(row: Mapping[str, str]) -> TradeRecord:
    """Read one line. For a refund its time is that of the refund."""
    try:
        kind = KINDS[row["交易状态"]]
        is_refund = kind == RecordKind.REFUND
        return TradeRecord(
            kind=kind,
            number=row["商户订单号"],
            trade_no=row["微信订单号"],
            amount=yuan(row["申请退款金额" if is_refund else "订单金额"]),
            currency=row["货币种类"],
            at=shanghai(row["交易时间"]),
            refund_number=row["商户退款单号"] if is_refund else "",
        )
    except KeyError as error:
        raise ValueError(f"a line that cannot be read: {error}") from None
