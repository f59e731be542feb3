"""Sends signed notifications until the merchant answers ``success``, with growing pauses, like the wallets do."""

from __future__ import annotations

import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPException

from typing_extensions import override

from billing.providers.local_gateway.store import Store

logger = logging.getLogger("paygate")
RETRY_SECONDS = (2, 5, 10, 30, 60, 300, 900, 3600, 7200, 21600)
TIMEOUT_SECONDS = 10
BATCH = 20
ANSWER_OK = b"success"


class Notifier(threading.Thread):
    """One thread that sends what is due and sleeps otherwise."""

    def __init__(self, store: Store, retry_seconds: Sequence[float] = RETRY_SECONDS) -> None:
        super().__init__(name="paygate-notifier", daemon=True)
        self.store, self.retry_seconds = store, retry_seconds
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def wake(self) -> None:
        """Look for due notifications now."""
        self._wake.set()

    def stop(self) -> None:
        """Leave after the current notification."""
        self._stopping.set()
        self._wake.set()

    @override
    def run(self) -> None:
        """Send what is due until stopped."""
        while not self._stopping.is_set():
            self._wake.clear()
            for notification in self._due():
                self._send(*notification)
            self._wake.wait(timeout=0.5)

    def _due(self) -> list[tuple[str, str, str, int]]:
        with self.store.transaction() as db:
            rows = db.execute(
                "SELECT id, url, body, attempts FROM notification"
                " WHERE delivered_at IS NULL AND next_at <= ? ORDER BY next_at LIMIT ?",
                [time.time(), BATCH],
            ).fetchall()
        return [tuple(row) for row in rows]

    def _send(self, identity: str, url: str, body: str, attempts: int) -> None:
        accepted = self._post(url, body)
        with self.store.transaction() as db:
            if accepted:
                db.execute(
                    "UPDATE notification SET delivered_at = ?, attempts = ? WHERE id = ?",
                    [time.time(), attempts + 1, identity],
                )
                return
            pause = self.retry_seconds[attempts] if attempts < len(self.retry_seconds) else None
            next_at = None if pause is None else time.time() + pause
            db.execute(
                "UPDATE notification SET attempts = ?, next_at = ? WHERE id = ?",
                [attempts + 1, next_at, identity],
            )

    def _post(self, url: str, body: str) -> bool:
        # The merchant has signed the address.
        request = urllib.request.Request(url, data=body.encode())  # noqa: S310
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return bool(answer.status == HTTPStatus.OK and answer.read(64).strip() == ANSWER_OK)
        except (OSError, HTTPException) as error:
            logger.info("notification not accepted: %s", error)
            return False
