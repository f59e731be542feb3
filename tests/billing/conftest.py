"""A real gateway over HTTP for each test that pays, with a mailbox in the portal's place for its notifications."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from billing.providers.local import LocalProvider
from billing.providers.local_gateway.server import MERCHANT, make_server

RETRY_SECONDS = (0.05, 0.05, 0.05)
WITHIN_SECONDS = 10


class Mailbox:
    """Takes what the gateway posts and answers as told."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.answers: list[bytes] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        box = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                box.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                answer = box.answers.pop(0) if box.answers else b"success"
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def wait_for(self, count: int) -> list[bytes]:
        """Return the bodies once there are ``count`` of them."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while len(self.bodies) < count:
            assert time.monotonic() < deadline, (
                f"{len(self.bodies)} notifications, {count} expected"
            )
            time.sleep(0.01)
        return self.bodies


class Gateway:
    """The running gateway, and the customer's browser on its pages."""

    def __init__(self, directory: Path, mailbox: Mailbox) -> None:
        self.directory, self.mailbox = directory, mailbox
        self.server, self.notifier = make_server(
            host="127.0.0.1", port=0, directory=directory, retry_seconds=RETRY_SECONDS
        )
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.notifier.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def provider(self) -> LocalProvider:
        return LocalProvider(MERCHANT, self.url, self.url, self.directory)

    def open(self, address: str) -> str:
        """Open the payment page; return its HTML."""
        return self._fetch(address)

    def decide(self, page: str, action: str) -> None:
        """Press a button of the page. The browser is sent back to the portal, which is not followed here."""
        token = page.split('action="/trades/')[1].split("/", maxsplit=1)[0]
        self._fetch(f"{self.url}/trades/{token}/{action}", data=b"")

    def pay(self, address: str) -> bytes:
        """Pay at the address; return the notification that the gateway sends."""
        before = len(self.mailbox.bodies)
        self.decide(self.open(address), "pay")
        return self.mailbox.wait_for(before + 1)[-1]

    def fail(self, address: str) -> bytes:
        """Fail at the address; return the notification that the gateway sends."""
        before = len(self.mailbox.bodies)
        self.decide(self.open(address), "fail")
        return self.mailbox.wait_for(before + 1)[-1]

    @staticmethod
    def _fetch(address: str, data: bytes | None = None) -> str:
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: object) -> None:
                return None

        opener = urllib.request.build_opener(Stay, urllib.request.ProxyHandler({}))
        try:
            with opener.open(address, data=data, timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 303:
                    return ""
                raise AssertionError(f"{error.code}: {error.read().decode()[:400]}") from None

    def stop(self) -> None:
        self.notifier.stop()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.server.shutdown()
    box.server.server_close()


@pytest.fixture(scope="session")
def gateway_keys(tmp_path_factory) -> Path:
    """One pair of keys for the whole run: making them takes a while."""
    from billing.providers.signing import keys_of

    directory = tmp_path_factory.mktemp("paygate-keys")
    keys_of("portal", directory)
    return directory


@pytest.fixture
def gateway(tmp_path, gateway_keys, mailbox, settings) -> Iterator[Gateway]:
    for key in gateway_keys.glob("*.pem"):
        (tmp_path / key.name).write_bytes(key.read_bytes())
    running = Gateway(tmp_path, mailbox)
    settings.PAYMENT_LOCAL = {
        "merchant": MERCHANT,
        "public_url": running.url,
        "api_url": running.url,
        "keys_dir": str(tmp_path),
    }
    settings.PAYMENT_NOTIFY_ORIGIN = mailbox.origin
    yield running
    running.stop()


@pytest.fixture
def work(run_jobs, django_capture_on_commit_callbacks):
    """Do what is enqueued, and what that enqueues in turn."""

    def run():
        for _ in range(4):
            with django_capture_on_commit_callbacks(execute=True):
                run_jobs()

    return run


@pytest.fixture
def messages():
    """Return the audiences of the messages of a kind, in the order in which they were written."""
    from core.tenancy import scope
    from messaging.models import Message

    def audiences(kind: str) -> list[list[str]]:
        with scope.staff():
            rows = Message.objects.filter(kind=kind).order_by("pk")
            return [row.audience for row in rows]

    return audiences
