"""The gateway as a threaded HTTP server of the standard library: small, and for one machine only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from typing_extensions import override

from billing.providers.local_gateway.app import Gateway
from billing.providers.local_gateway.notifier import RETRY_SECONDS, Notifier
from billing.providers.local_gateway.store import Store
from billing.providers.signing import keys_of

MERCHANT = "support-portal"


class Server(ThreadingMixIn, WSGIServer):
    """One thread per request."""

    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    """Requests are not logged: their addresses carry signatures."""

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""

    @override
    def address_string(self) -> str:
        """Return the address without asking a name server."""
        return str(self.client_address[0])


def make_server(
    *, host: str, port: int, directory: Path, retry_seconds: Sequence[float] = RETRY_SECONDS
) -> tuple[Server, Notifier]:
    """Return a bound server (port 0 takes any) and its notifier; neither runs yet. Keys are made at first use."""
    store = Store(directory / "gateway.sqlite3")
    notifier = Notifier(store, retry_seconds)
    gateway = Gateway(
        store=store, notifier=notifier, keys=keys_of("gateway", directory), merchant=MERCHANT
    )
    server = Server((host, port), QuietHandler)
    server.set_app(gateway)
    return server, notifier
