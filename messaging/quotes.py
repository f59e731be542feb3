"""Pure: what a person wrote in a reply, without the quoted mail beneath it. Chinese and English mail programs.

Public parsers of replies do not know the headers of Chinese programs, so the shapes stand here, each with the program
that writes it; the tests hold a mail of each.
"""

from __future__ import annotations

import re

_SENDER = r"(?:发件人|寄件人|发送人|From|Sender)"
_OTHERS = r"(?:发送时间|发送日期|日期|时间|收件人|抄送|主题|Sent|Date|To|Cc|Subject)"
_SENDER_LINE = re.compile(rf"^\s*[*>|]*\s*{_SENDER}\s*\*?\s*[:：|]", re.IGNORECASE)
_FIELD_LINE = re.compile(rf"^\s*[*>|]*\s*(?:{_SENDER}|{_OTHERS})\s*\*?\s*[:：|]", re.IGNORECASE)
_RULED = (
    r"原始邮件|原邮件|回复的原邮件|转发邮件信息|转发的邮件|"
    r"Original Message|Original|Replied Message|Forwarded message"
)
# QQ 邮箱, Foxmail, 163, Outlook: a ruler with words in it, or a long one without.
_RULERS = (
    re.compile(rf"^\s*[-_—]{{2,}}\s*(?:{_RULED})\s*[-_—]{{2,}}\s*$", re.IGNORECASE),
    re.compile(r"^\s*_{10,}\s*$"),
)
# Gmail, Apple Mail, 163: "On …, X wrote:", "X 于 … 写道：", "At …, X wrote:". A date or time stands in it.
_WROTE = (
    re.compile(r"^\s*(?:On|At)\s(?=.*\d).{6,300}\bwrote\s*[:：]\s*$", re.IGNORECASE),
    re.compile(r"^\s*(?=.*\d)\S.{3,300}写道\s*[:：]\s*$"),
)
_WROTE_BEGINS = re.compile(r"^\s*(?:(?:On|At)\s|在|于|\d{4}\s*年|\S.{0,120}<[^<>@\s]+@)")
# What programs say of themselves at the end.
_SENT_WITH = re.compile(
    r"^\s*(?:发自我的\s?\S+|发自\S{2,12}|来自\S{2,12}(?:客户端|手机)"
    r"|Sent from .{2,40}|Get Outlook for .+|获取 ?Outlook.*)\s*$",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"^-- ?$")
_HEADERS_NEXT = 5


def reply_text(text: str) -> str:
    """Return what stands above the quoted mail, without signature and trailing empty lines; empty if there is nothing.

    A reply that is written between quoted lines keeps its own lines.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = lines[: _quote_starts(lines)]
    kept = [line for line in lines if not line.lstrip().startswith(">")]
    for number, line in enumerate(kept):
        if _SIGNATURE.match(line):
            kept = kept[:number]
            break
    while kept and (not kept[-1].strip() or _SENT_WITH.match(kept[-1])):
        kept.pop()
    return "\n".join(line.rstrip() for line in kept).strip()


def _quote_starts(lines: list[str]) -> int:
    """Return the number of the line where the quoted mail begins, the number of lines if there is none."""
    for number, line in enumerate(lines):
        if any(ruler.match(line) for ruler in _RULERS) or any(w.match(line) for w in _WROTE):
            return number
        # Programs break the line after 78 characters.
        joined = " ".join(part.strip() for part in lines[number : number + 2])
        if _WROTE_BEGINS.match(line) and any(wrote.match(joined) for wrote in _WROTE):
            return number
        if _SENDER_LINE.match(line) and _headers_follow(lines[number + 1 :]):
            return number
    return len(lines)


def _headers_follow(lines: list[str]) -> bool:
    """Return True if the next lines are the other headers of a quoted mail: one "From:" alone may be a sentence."""
    return sum(bool(_FIELD_LINE.match(line)) for line in lines[:_HEADERS_NEXT]) >= 2  # noqa: PLR2004
