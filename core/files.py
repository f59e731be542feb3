"""Private files per tenant: where they lie, what is accepted, how they are handed out."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import puremagic
from django.conf import settings
from django.core.files.base import File
from django.http import FileResponse
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from typing_extensions import override

from core.clock import now
from core.exceptions import DomainError

SNIFF_BYTES = 8192
PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"
GIF = "image/gif"
ZIP = "application/zip"
GZIP = "application/gzip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
TEXT = "text/plain"
DOCUMENTS = frozenset({PDF, PNG, JPEG, GIF, ZIP, GZIP, DOCX, XLSX, PPTX, TEXT})
_SUFFIXES = {
    PDF: {".pdf"},
    PNG: {".png"},
    JPEG: {".jpg", ".jpeg"},
    GIF: {".gif"},
    ZIP: {".zip"},
    GZIP: {".gz", ".tgz"},
    DOCX: {".docx"},
    XLSX: {".xlsx"},
    PPTX: {".pptx"},
    TEXT: {
        ".txt",
        ".log",
        ".csv",
        ".json",
        ".yaml",
        ".yml",
        ".conf",
        ".ini",
        ".md",
        ".out",
        ".err",
    },
}
_OFFICE = {".docx": DOCX, ".xlsx": XLSX, ".pptx": PPTX}


class FileTooLarge(DomainError):
    """The file is larger than the limit."""

    code = "file_too_large"
    status = 400


class FileTypeRefused(DomainError):
    """The file's content is not of an accepted type, or its name says something else than its content."""

    code = "file_type_refused"
    status = 400
    message = gettext_lazy("不支持该文件类型，请上传 PDF、图片、Office 文档、压缩包或文本日志")


class FileEmpty(DomainError):
    """The file has no content."""

    code = "file_empty"
    status = 400
    message = gettext_lazy("文件没有内容，请重新选择")


@dataclass(frozen=True)
class FileFacts:
    """What an accepted file is. ``content_type`` comes from its content, not from the browser."""

    name: str
    size: int
    content_type: str
    sha256: str


@deconstructible
class private_path:
    """Give ``<kind>/<tenant public_id>/<yyyy>/<uuid><suffix>``; the name that people gave is kept in the row only."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, instance: Any, filename: str) -> str:
        """Return where the file of ``instance`` is kept."""
        suffix = PurePosixPath(filename).suffix.lower()[:10]
        return f"{self.kind}/{instance.tenant.public_id}/{now():%Y}/{uuid.uuid4().hex}{suffix}"

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, private_path) and other.kind == self.kind

    @override
    def __hash__(self) -> int:
        return hash(self.kind)


def validate_upload(
    upload: File[Any], *, allowed: frozenset[str] = DOCUMENTS, max_bytes: int | None = None
) -> FileFacts:
    """Return the facts of an uploaded file. Raises FileTooLarge, FileEmpty, FileTypeRefused.

    ``allowed`` holds content types. The content decides; the name's suffix has to agree with it.
    """
    limit = settings.UPLOAD_MAX_BYTES if max_bytes is None else max_bytes
    name = PurePosixPath((upload.name or "").replace("\\", "/")).name
    name = "".join(c for c in name if c.isprintable())[-200:] or "file"
    size = upload.size or 0
    if size == 0:
        raise FileEmpty
    if size > limit:
        raise FileTooLarge(_("单个文件不超过 %(limit)d MB") % {"limit": limit // (1024 * 1024)})
    content_type = _sniff(upload, PurePosixPath(name).suffix.lower())
    if content_type not in allowed:
        raise FileTypeRefused
    digest = hashlib.sha256()
    upload.seek(0)
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return FileFacts(name=name, size=size, content_type=content_type, sha256=digest.hexdigest())


def serve_private(file: File[Any], *, name: str, content_type: str) -> FileResponse:
    """Answer with the file as a download. The caller has checked the right; browsers never show it in place."""
    response = FileResponse(
        file.open("rb"), as_attachment=True, filename=name, content_type=content_type
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def serve_inline(file: File[Any], *, content_type: str) -> FileResponse:
    """Answer with a picture that the portal made itself, to be shown in a page. The caller has checked the right."""
    response = FileResponse(file.open("rb"), content_type=content_type)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _sniff(upload: File[Any], suffix: str) -> str:
    """Return the content type that the content shows and the suffix agrees with, else an empty text."""
    upload.seek(0)
    head = upload.read(SNIFF_BYTES)
    upload.seek(0)
    if isinstance(head, str):
        head = head.encode()
    found = _magic(head)
    if found == ZIP and suffix in _OFFICE:
        found = _OFFICE[suffix]
    if not found and _is_text(head):
        found = TEXT
    return found if suffix in _SUFFIXES.get(found, set()) else ""


def _magic(head: bytes) -> str:
    for prefix, content_type in (
        (b"%PDF-", PDF),
        (b"\x89PNG\r\n\x1a\n", PNG),
        (b"\xff\xd8\xff", JPEG),
        (b"GIF87a", GIF),
        (b"GIF89a", GIF),
        (b"PK\x03\x04", ZIP),
        (b"\x1f\x8b", GZIP),
    ):
        if head.startswith(prefix):
            return content_type
    return ""


def _is_text(head: bytes) -> bool:
    """Return True for text in UTF-8 or GB18030 without control characters; a cut last character is no objection.

    What another program would run or draw (HTML, SVG, scripts with a known signature) is not plain text here.
    """
    if b"\0" in head:
        return False
    try:
        known = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        known = ""
    if known and not known.startswith("text/") and known != "application/json":
        return False
    start = head[:256].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<svg", b"<?xml", b"<script")):
        return False
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):
            try:
                text = head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return all(c.isprintable() or c in "\t\n\r\f\x1b" for c in text)
    return False
