"""Pure: reading a mail that came in (RFC 5322, RFC 3834). Nothing here trusts what the mail says of itself."""

from __future__ import annotations

import email
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses, parseaddr
from html.parser import HTMLParser

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from messaging import threads
from messaging.quotes import reply_text

FILES_MAX = 5
TEXT_MAX = 200_000


class Refusal(models.TextChoices):
    """Why a mail was not taken over."""

    AUTOMATIC = "automatic", _("自动回复或系统邮件")
    OWN = "own", _("本系统发出的邮件")
    NO_ADDRESS = "no_address", _("收件地址不是有效的回复地址")
    SENDER = "sender", _("发件人不是该客户的授权员工")
    EMPTY = "empty", _("没有正文和附件")
    NO_THREAD = "no_thread", _("对应的工单不存在")
    TOO_LATE = "too_late", _("工单已关闭，超过重新打开期限")
    REFUSED = "refused", _("业务规则不允许")
    UNREADABLE = "unreadable", _("邮件无法解析")


@dataclass(frozen=True)
class Attached:
    """A file of a mail, as it came."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """What a mail says."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    files: tuple[Attached, ...] = ()
    refusal: Refusal | None = None
    target: threads.ReplyTo | None = field(default=None)


def mail_read(raw: bytes) -> Mail:
    """Return what a raw mail says; ``refusal`` names why it can be no reply, before anyone asks the database."""
    parsed = email.message_from_bytes(raw, policy=default)
    recipients = tuple(_recipients(parsed))
    text = reply_text(_text(parsed))[:TEXT_MAX]
    files = tuple(_files(parsed))
    target = next(filter(None, (threads.reply_target(address) for address in recipients)), None)
    refusal = _refusal(parsed)
    if refusal is None and target is None:
        refusal = Refusal.NO_ADDRESS
    if refusal is None and not text and not files:
        refusal = Refusal.EMPTY
    return Mail(
        message_id=message_id_of(parsed, raw),
        sender=parseaddr(_header(parsed, "From"))[1].lower()[:254],
        recipients=recipients,
        subject=_header(parsed, "Subject")[:200],
        text=text,
        files=files,
        refusal=refusal,
        target=target,
    )


def message_id_of(parsed: EmailMessage, raw: bytes) -> str:
    """Return the mail's own id; one without gets one from its bytes, so that it too is taken once."""
    given = "".join(_header(parsed, "Message-ID").split())[:300]
    return given or f"<sha256-{hashlib.sha256(raw).hexdigest()}>"


def _refusal(parsed: EmailMessage) -> Refusal | None:
    """Return why the mail is no person's reply (RFC 3834 §2, and what programs write instead of it)."""
    sender = parseaddr(_header(parsed, "From"))[1].lower()
    if threads.is_own_id(_header(parsed, "Message-ID").strip()) or threads.is_reply_address(sender):
        return Refusal.OWN
    submitted = _header(parsed, "Auto-Submitted").strip().lower().partition(";")[0]
    precedence = _header(parsed, "Precedence").strip().lower()
    return_path = _header(parsed, "Return-Path").replace(" ", "")
    automatic = (
        submitted not in {"", "no"}
        or precedence in {"bulk", "junk", "list", "auto_reply"}
        or return_path == "<>"
        or any(
            parsed.get(name)
            for name in ("X-Auto-Response-Suppress", "X-Autoreply", "X-Autorespond", "List-Id")
        )
        or parsed.get_content_type() == "multipart/report"
        or sender.partition("@")[0] in {"mailer-daemon", "postmaster", "no-reply", "noreply"}
    )
    return Refusal.AUTOMATIC if automatic else None


def _recipients(parsed: EmailMessage) -> Iterator[str]:
    """Return the addresses that the mail went to; servers name the envelope's in headers of their own."""
    named = [
        _header(parsed, name)
        for name in ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
        if parsed.get(name)
    ]
    yield from dict.fromkeys(address.lower()[:254] for _, address in getaddresses(named) if address)


def _text(parsed: EmailMessage) -> str:
    body = parsed.get_body(preferencelist=("plain", "html"))
    if body is None:
        return ""
    try:
        content = str(body.get_content())
    except (LookupError, ValueError):
        # A character set that is unknown or wrong: most of it can be read all the same.
        payload = body.get_payload(decode=True)
        content = payload.decode("gb18030", "replace") if isinstance(payload, bytes) else ""
    return _from_html(content) if body.get_content_type() == "text/html" else content


def _files(parsed: EmailMessage) -> Iterator[Attached]:
    for count, part in enumerate(parsed.iter_attachments()):
        content = part.get_payload(decode=True)
        if count < FILES_MAX and isinstance(content, bytes) and content:
            yield Attached(name=part.get_filename() or "attachment", content=content)


def _header(parsed: EmailMessage, name: str) -> str:
    try:
        return str(parsed.get(name) or "")
    except (ValueError, IndexError):  # a header that the parser cannot read says nothing
        return ""


class _Words(HTMLParser):
    """Collects the words of a page, line by line."""

    _BLOCKS = frozenset({"p", "div", "tr", "li", "blockquote", "h1", "h2", "h3", "hr", "table"})
    _SILENT = frozenset({"style", "script", "head", "title"})

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._silent = 0
        self._quoted = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._SILENT:
            self._silent += 1
        elif tag == "blockquote":
            self._quoted += 1
        if tag == "br":
            self.parts.append("\n")
        elif tag in self._BLOCKS:
            self._new_line()

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "blockquote":
            self._quoted = max(0, self._quoted - 1)
        if tag in self._BLOCKS:
            self._new_line()

    @override
    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if self._silent or self._quoted or not words:
            words = ""
        elif self.parts and not self.parts[-1].endswith("\n") and data[0].isspace():
            words = f" {words}"
        if words:
            self.parts.append(f"{words} " if data[-1].isspace() else words)

    def _new_line(self) -> None:
        if self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")


def _from_html(markup: str) -> str:
    words = _Words()
    words.feed(markup)
    words.close()
    return "\n".join(" ".join(line.split()) for line in "".join(words.parts).split("\n"))
