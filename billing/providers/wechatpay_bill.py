"""WeChat Pay's bill of a day (ALL): gzipped CSV in UTF-8, every value behind a grave accent, two lines of totals."""

from __future__ import annotations

import csv
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
    table = list(csv.reader(bill.decode("utf-8-sig").splitlines()))
    if not table or TOTALS not in {row[0] for row in table if row}:
        raise ValueError("the bill is cut off")
    heads = [cell.strip() for cell in table[0]]
    if missing := set(COLUMNS) - set(heads):
        raise ValueError(f"the bill lacks {sorted(missing)}")
    end = next(place for place, row in enumerate(table) if row and row[0] == TOTALS)
    records = [
        _record(dict(zip(heads, (cell.strip().lstrip("`") for cell in row), strict=False)))
        for row in table[1:end]
    ]
    if table[end + 1][0].lstrip("`") != str(len(records)):
        raise ValueError("the bill's lines are not as many as it says")
    return sorted(records, key=lambda record: record.at)


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
