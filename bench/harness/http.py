"""Pages asked for over the loopback, on connections that stay open, as a browser or a reverse proxy does."""

from __future__ import annotations

import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse
from http.cookiejar import CookieJar

# As many as fill the two web processes of a local portal, and few enough that asking costs little beside answering.
CONNECTIONS = 4
ROUND_SECONDS = 1.0
TIMEOUT_SECONDS = 30
SIGN_IN = "/accounts/login/"
# A request with the first is answered with the second: how often it asked the database (``bare.QueryCountMiddleware``).
COUNT_HEADER, QUERIES_HEADER = "X-Count-Queries", "X-Queries"


class WrongAnswer(RuntimeError):
    """An answer that is not the page to be measured: its time would mean nothing."""


@dataclass(frozen=True)
class Page:
    """A page of a running server. ``marker`` is text that only this page holds; ``cookies`` say who asks.

    ``status`` is what it answers when all is well.
    """

    address: str
    path: str
    marker: str
    cookies: str = ""
    status: HTTPStatus = HTTPStatus.OK

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
        """Return how often the page asks the database once everything that is made once has been made."""
        connection = self._connect()
        for _ in range(2):
            answer = self._ask(connection, {COUNT_HEADER: "1"})
        connection.close()
        return int(answer.headers[QUERIES_HEADER])

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
        connection.request("GET", self.path, headers={"Cookie": self.cookies, **headers})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != self.status or self.marker.encode() not in body:
            raise WrongAnswer(f"{self.path} answered {answer.status} without “{self.marker}”")
        return answer


def signed_in(address: str, email: str, password: str) -> str:
    """Sign in through the portal's own form and return the cookies of the session."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    browser.open(address + SIGN_IN, timeout=TIMEOUT_SECONDS).read()
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {"login": email, "password": password, "csrfmiddlewaretoken": token}
    data = urllib.parse.urlencode(form).encode()
    with browser.open(address + SIGN_IN, data=data, timeout=TIMEOUT_SECONDS) as answer:
        if answer.url.startswith(address + SIGN_IN):
            raise WrongAnswer(f"{email} cannot sign in")
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
