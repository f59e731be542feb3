"""Many consoles that poll at once, as browsers do: a connection each, the pace and the jitter of static/js/poll.js."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

from config.local import BASE_DIR

_SCRIPT = (BASE_DIR / "static" / "js" / "poll.js").read_text(encoding="utf-8")
EVERY_SECONDS = int(re.search(r"EVERY_MS = (\d+)", _SCRIPT)[1]) / 1000


@dataclass
class Console:
    """One open console. ``log`` holds when each answer came and what it told; 204 tells nothing."""

    address: str
    session: str
    shown: dict[str, Any]
    log: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    answers: int = 0
    _link: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self, over: asyncio.Event) -> None:
        """Poll until it is over."""
        await asyncio.sleep(random.uniform(0, EVERY_SECONDS))
        while not over.is_set():
            status, body = await self._ask()
            self.answers += 1
            if status == 200:
                self._take(json.loads(body))
            elif status != 204:
                raise RuntimeError(f"the console was answered {status}: {body[:300]!r}")
            await asyncio.sleep(EVERY_SECONDS * random.uniform(0.9, 1.1))
        if self._link:
            self._link[1].close()

    def _take(self, news: dict[str, Any]) -> None:
        self.log.append((time.monotonic(), news))
        for told, shown in (
            ("queueVersion", "queue"),
            ("ticketVersion", "seen"),
            ("presenceVersion", "presence"),
        ):
            if told in news:
                self.shown[shown] = news[told]

    async def _ask(self) -> tuple[int, bytes]:
        """Ask on the open connection, and once more on a new one: the server may just have closed it."""
        fresh = self._link is None
        try:
            return await self._exchange()
        except (ConnectionError, asyncio.IncompleteReadError):
            self._link = None
            if fresh:
                raise
            return await self._exchange()

    async def _exchange(self) -> tuple[int, bytes]:
        host = urllib.parse.urlsplit(self.address)
        if self._link is None:
            self._link = await asyncio.open_connection(host.hostname, host.port)
        reader, writer = self._link
        query = urllib.parse.urlencode(self.shown)
        writer.write(
            f"GET /console/live/?{query} HTTP/1.1\r\nHost: {host.netloc}\r\nHX-Request: true\r\n"
            f"Cookie: sessionid={self.session}\r\n\r\n".encode()
        )
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        if "connection: close" in head:
            writer.close()
            self._link = None
        return int(head.split(" ", 2)[1]), body
