"""Fetching mail from a mailbox over IMAP (RFC 9051), with the standard library's client."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from django.conf import settings

TIMEOUT_SECONDS = 30
PLAIN_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class MailboxFailed(Exception):
    """The mailbox could not be opened or read; the next poll tries again."""


class Mailbox:
    """An open mailbox. Mails stay unseen until ``done`` says that they are kept."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self.client = client

    def unseen(self, limit: int) -> Iterator[tuple[str, bytes]]:
        """Yield ``(uid, raw)`` of up to ``limit`` unseen mails, oldest first. Raises MailboxFailed."""
        for uid in self._ask("search", None, "UNSEEN")[0].split()[:limit]:
            name = uid.decode()
            for part in self._ask("fetch", name, "(BODY.PEEK[])"):
                if isinstance(part, tuple):
                    yield name, part[1]

    def done(self, uid: str) -> None:
        """Mark a mail as seen. Raises MailboxFailed."""
        self._ask("store", uid, "+FLAGS", r"(\Seen)")

    def _ask(self, command: str, *arguments: str | None) -> list[bytes]:
        state, data = self.client.uid(command, *arguments)  # type: ignore[arg-type]
        if state != "OK":
            raise MailboxFailed(f"{command}: {state}")
        return [part for part in data if part is not None]


@contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    """Sign in to ``MAIL_IMAP_URL`` and open its folder. Raises MailboxFailed."""
    url = urlsplit(settings.MAIL_IMAP_URL)
    try:
        client = _client(url.scheme, url.hostname or "", url.port)
        try:
            client.login(settings.MAIL_IMAP_USER, settings.MAIL_IMAP_PASSWORD)
            state, _ = client.select(unquote(url.path.strip("/")) or "INBOX")
            if state != "OK":
                raise MailboxFailed(f"select: {state}")
            yield Mailbox(client)
        finally:
            client.logout()
    except (OSError, imaplib.IMAP4.error) as error:
        raise MailboxFailed(f"{type(error).__name__}: {error}") from error


def _client(scheme: str, host: str, port: int | None) -> imaplib.IMAP4:
    if scheme == "imaps":
        return imaplib.IMAP4_SSL(host, port or 993, timeout=TIMEOUT_SECONDS)
    if scheme == "imap" and host in PLAIN_HOSTS:
        return imaplib.IMAP4(host, port or 143, timeout=TIMEOUT_SECONDS)
    raise MailboxFailed("MAIL_IMAP_URL must be imaps://host/folder")
