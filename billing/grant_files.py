"""A file of grants as finance writes it: one coupon or voucher for one customer per line. Pure.

Columns: customer, kind, code of the coupon or name of the voucher, amount, first and last day, batch. A coupon needs
the first three. Each line has a key of what it says: the same line grants once, in this file and in any later one; the
batch tells apart what is meant to be granted again.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.exceptions import DomainError
from core.money import CENT, ZERO

MOST_BYTES = 128 * 1024
MOST_LINES = 200
COLUMNS = 7
LEAST_COLUMNS = 3
MOST_NAME = 60
COUPON, VOUCHER = "优惠券", "代金券"
HEADER = ("客户", "类型", "优惠券编号或代金券名称", "面额", "生效日期", "失效日期", "批次")
# How the kinds may be written.
KINDS = {COUPON: "coupon", VOUCHER: "voucher", "coupon": "coupon", "voucher": "voucher"}


class GrantFileInvalid(DomainError):
    """The file as a whole cannot be read; the message says why."""

    code = "grant_file_invalid"
    message = gettext_lazy("请上传 UTF-8 或 GB18030 编码的 CSV 文件")
    status = 422


@dataclass(frozen=True)
class GrantLine:
    """One line: ``subject`` is a coupon's code or a voucher's name, ``amount`` CNY, the days are Shanghai's.

    ``errors`` say what is wrong with it; such a line grants nothing.
    """

    number: int
    key: str
    customer: str
    kind: str
    subject: str
    amount: Decimal | None = None
    first: date | None = None
    last: date | None = None
    errors: tuple[str, ...] = field(default=())


def grant_file_text(content: bytes) -> str:
    """Return the text of an uploaded file. Raises GrantFileInvalid for one that is too large or not text."""
    if len(content) > MOST_BYTES:
        raise GrantFileInvalid(_("文件不超过 %(limit)d KB") % {"limit": MOST_BYTES // 1024})
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise GrantFileInvalid


def grant_lines(text: str) -> list[GrantLine]:
    """Return the lines of the file that say something, without the head. Raises GrantFileInvalid."""
    if len(text.encode()) > 2 * MOST_BYTES:
        raise GrantFileInvalid(_("文件不超过 %(limit)d KB") % {"limit": MOST_BYTES // 1024})
    # Browsers send the content of a page's field with line ends of their own.
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        rows = list(csv.reader(io.StringIO(plain, newline=""), strict=True))
    except csv.Error as error:
        raise GrantFileInvalid(_("文件不是有效的 CSV：%(error)s") % {"error": error}) from None
    numbered = [
        (number, [cell.strip() for cell in row])
        for number, row in enumerate(rows, start=1)
        if any(cell.strip() for cell in row)
    ]
    if numbered and numbered[0][1][0] == HEADER[0]:
        numbered = numbered[1:]
    if not numbered:
        raise GrantFileInvalid(_("文件中没有发放记录"))
    if len(numbered) > MOST_LINES:
        raise GrantFileInvalid(
            _("一次最多发放 %(most)d 条，文件中有 %(found)d 条")
            % {"most": MOST_LINES, "found": len(numbered)}
        )
    seen: set[str] = set()
    lines = []
    for number, row in numbered:
        line = _line(number, row)
        if line.key in seen:
            line = replace(line, errors=(*line.errors, _("与前面的行重复")))
        seen.add(line.key)
        lines.append(line)
    return lines


def _line(number: int, row: list[str]) -> GrantLine:
    said = [*row, *[""] * COLUMNS][:COLUMNS]
    customer, word, subject, amount_text, first_text, last_text, _batch = said
    key = "import-" + hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:40]
    kind = KINDS.get(word.lower(), "")
    errors = []
    if len(row) > COLUMNS or len(row) < LEAST_COLUMNS:
        errors.append(_("应有 3 至 7 列，此行有 %(found)d 列") % {"found": len(row)})
    if not customer:
        errors.append(_("缺少客户"))
    if not kind:
        errors.append(
            _("类型应为“%(coupon)s”或“%(voucher)s”") % {"coupon": COUPON, "voucher": VOUCHER}
        )
    if not subject or len(subject) > MOST_NAME:
        errors.append(_("缺少优惠券编号或代金券名称，或超过 60 个字"))
    amount, first, last = None, None, None
    if kind == "voucher":
        amount, first, last = _amount(amount_text), _day(first_text), _day(last_text)
        if amount is None:
            errors.append(_("面额须大于 0.00 元，最多两位小数"))
        if first is None or last is None or last < first:
            errors.append(_("日期应为 2026-11-24 的格式，失效日期不早于生效日期"))
    return GrantLine(number, key, customer, kind, subject, amount, first, last, tuple(errors))


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.replace(",", "").replace("，", ""))
    except InvalidOperation:
        return None
    most = Decimal(10) ** 10
    is_money = amount.is_finite() and ZERO < amount < most and amount == amount.quantize(CENT)
    return amount if is_money else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None
