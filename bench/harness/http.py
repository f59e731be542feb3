"""Pages asked for and forms sent over the loopback, on connections that stay open, as a reverse proxy does."""

from __future__ import annotations

import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse
from http.cookiejar import CookieJar

from typing_extensions import override

# As many as fill the two web processes of a local portal, and few enough that asking costs little beside answering.
CONNECTIONS = 4
ROUND_SECONDS = 1.0
TIMEOUT_SECONDS = 30
SIGN_IN = "/accounts/login/"
# A request with the first is answered with the second: how often it asked the database (``bare.QueryCountMiddleware``).
COUNT_HEADER, QUERIES_HEADER = "X-Count-Queries", "X-Queries"


class WrongAnswer(RuntimeError):
    """An answer that is not the page to be measured: its time would mean nothing."""


class _Asked:
    """What is asked again and again on several connections. ``address`` is the server's, ``cookies`` say who asks."""

    address: str
    cookies: str

    def requests_per_second(
        self, *, seconds: float = ROUND_SECONDS, connections: int = CONNECTIONS
    ) -> float:
        """Ask again and again for ``seconds`` on each of several connections; return answers per second."""
        begun = time.monotonic()
        with ThreadPoolExecutor(connections) as pool:
            rounds = [pool.submit(self._ask_until, begun + seconds) for _ in range(connections)]
            answered = sum(round_.result() for round_ in rounds)
        return answered / (time.monotonic() - begun)

    def queries(self) -> int:
        """Return how often an answer asks the database once everything that is made once has been made."""
        connection = self._connect()
        for _ in range(2):
            answer = self._ask(connection, {COUNT_HEADER: "1"})
        connection.close()
        return int(answer.headers[QUERIES_HEADER])

    def milliseconds(self, times: int) -> list[float]:
        """Ask ``times`` times on one connection; return how long each answer took."""
        connection, taken = self._connect(), []
        for _ in range(times):
            begun = time.perf_counter()
            self._ask(connection, {})
            taken.append(1000 * (time.perf_counter() - begun))
        connection.close()
        return taken

    def _ask_until(self, end: float) -> int:
        connection, answered = self._connect(), 0
        while time.monotonic() < end:
            self._ask(connection, {})
            answered += 1
        connection.close()
        return answered

    def _connect(self) -> HTTPConnection:
        return HTTPConnection(urllib.parse.urlsplit(self.address).netloc, timeout=TIMEOUT_SECONDS)

    def _ask(self, connection: HTTPConnection, headers: dict[str, str]) -> HTTPResponse:
        raise NotImplementedError


@dataclass(frozen=True)
class Page(_Asked):
    """A page of a running server. ``marker`` is text that only this page holds; ``status`` is what it answers when all
    is well.
    """

    address: str
    path: str
    marker: str
    cookies: str = ""
    status: HTTPStatus = HTTPStatus.OK

    @override
    def _ask(self, connection: HTTPConnection, headers: dict[str, str]) -> HTTPResponse:
        connection.request("GET", self.path, headers={"Cookie": self.cookies, **headers})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != self.status or self.marker.encode() not in body:
            raise WrongAnswer(f"{self.path} answered {answer.status} without “{self.marker}”")
        return answer


@dataclass(frozen=True)
class Form(_Asked):
    """A form that is sent with other words each time: ``sent`` gives path and fields, ``leads_to`` is in the address of
    the page that a good answer leads to.
    """

    address: str
    sent: Iterator[tuple[str, dict[str, str]]]
    leads_to: str
    cookies: str

    @override
    def _ask(self, connection: HTTPConnection, headers: dict[str, str]) -> HTTPResponse:
        path, fields = next(self.sent)
        cookies = dict(cookie.split("=", 1) for cookie in self.cookies.split("; "))
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": cookies["csrftoken"]})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, body, {"Cookie": self.cookies, **kind, **headers})
        answer = connection.getresponse()
        answer.read()
        if answer.status != HTTPStatus.FOUND or self.leads_to not in answer.headers["Location"]:
            raise WrongAnswer(f"{path} answered {answer.status} {answer.headers['Location']}")
        return answer


def signed_in(
    address: str, email: str, password: str, *, path: str = SIGN_IN, field: str = "login"
) -> str:
    """Sign in through the server's own form at ``path`` and return the cookies of the session."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    browser.open(address + path, timeout=TIMEOUT_SECONDS).read()
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {field: email, "password": password, "csrfmiddlewaretoken": token}
    data = urllib.parse.urlencode(form).encode()
    with browser.open(address + path, data=data, timeout=TIMEOUT_SECONDS) as answer:
        if answer.url.startswith(address + path):
            raise WrongAnswer(f"{email} cannot sign in")
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
