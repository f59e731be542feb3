"""Scanners of files behind one interface. ``SCANNER_URL`` names the one to use; without it no file is called safe.

ClamAV is spoken to over its socket with the INSTREAM command: the file's bytes in chunks, each with its length before
it, a zero length at the end, one line as the answer (https://docs.clamav.net/manpages.html, clamd).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

ANSWER_MAX = 4096
CLAMAV_PORT = 3310


class ScanFailed(Exception):
    """The scanner could not be asked, or did not understand. The file stays shut until it has said something."""


@dataclass(frozen=True)
class Verdict:
    """What a scanner says: safe, or the name of what it found."""

    is_safe: bool
    finding: str = ""


class Scanner(Protocol):
    """Anything that can look through a file."""

    def scan(self, chunks: Iterable[bytes]) -> Verdict:
        """Return what is found in the bytes. Raises ScanFailed."""
        ...


@dataclass(frozen=True)
class ClamAV:
    """A clamd over TCP (``host`` and ``port``) or a Unix socket (``path``). ``timeout`` in seconds, per step."""

    host: str = ""
    port: int = CLAMAV_PORT
    path: str = ""
    timeout: float = 30.0

    def scan(self, chunks: Iterable[bytes]) -> Verdict:
        """Send the bytes and return the verdict. Raises ScanFailed: unreachable, too slow, too large for it."""
        try:
            with self._connect() as clamd:
                clamd.sendall(b"zINSTREAM\0")
                for chunk in chunks:
                    if chunk:
                        clamd.sendall(struct.pack("!I", len(chunk)) + chunk)
                clamd.sendall(struct.pack("!I", 0))
                return _verdict(self._answer(clamd))
        except OSError as error:
            raise ScanFailed(f"{type(error).__name__}: {error}") from error

    def _connect(self) -> socket.socket:
        if not self.path:
            return socket.create_connection((self.host, self.port), timeout=self.timeout)
        clamd = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        clamd.settimeout(self.timeout)
        try:
            clamd.connect(self.path)
        except OSError:
            clamd.close()
            raise
        return clamd

    @staticmethod
    def _answer(clamd: socket.socket) -> str:
        """Return the answer up to its closing NUL."""
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < ANSWER_MAX:
            part = clamd.recv(ANSWER_MAX)
            if not part:
                break
            answer += part
        return answer.rstrip(b"\0\r\n").decode(errors="replace")


def _verdict(answer: str) -> Verdict:
    """Read ``stream: OK``, ``stream: Win.Test.EICAR_HDB-1 FOUND`` or ``… ERROR``."""
    result = answer.removeprefix("stream: ")
    if result == "OK":
        return Verdict(is_safe=True)
    if result.endswith(" FOUND"):
        return Verdict(is_safe=False, finding=result.removesuffix(" FOUND")[:200])
    raise ScanFailed(f"clamd answered {answer[:200]!r}")


def scanner() -> Scanner | None:
    """Return the configured scanner, or None. Raises ImproperlyConfigured for an address of no known kind."""
    address = settings.SCANNER_URL
    if not address:
        return None
    url = urlsplit(address)
    if url.scheme == "clamav" and url.hostname:
        return ClamAV(
            host=url.hostname, port=url.port or CLAMAV_PORT, timeout=settings.SCANNER_TIMEOUT
        )
    if url.scheme == "clamav+unix" and url.path:
        return ClamAV(path=url.path, timeout=settings.SCANNER_TIMEOUT)
    raise ImproperlyConfigured(
        "SCANNER_URL must be clamav://host:port or clamav+unix:///path/of/clamd.ctl"
    )
