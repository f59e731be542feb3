"""The live console: what an idle poll costs, and how soon two hundred open consoles show what was just written."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from statistics import quantiles

import psutil

from accounts.demo_people import PASSWORD
from bench.harness import bare
from bench.harness.consoles import Console
from bench.harness.databases import built_database
from bench.harness.figures import Figure, at_least, at_most, side_by_side, within
from bench.harness.http import Page, signed_in
from bench.harness.portal import portal
from config.local import BASE_DIR
from tests.databases import database_environment, scratch_database

CONSOLES = 200
AGENT, CUSTOMER = "agent@portal.example", "owner@huachen.example"
SEEN_WITHIN_SECONDS = 2.0
# No timers run here; the web processes notice that and tell the consoles, once.
NOTICED_SECONDS = 20
SETTLE_SECONDS, IDLE_SECONDS, BETWEEN_SECONDS, WRITES = 8, 15, 5, 12
ROW = re.compile(r'id="row-(\d+)"[^>]*data-number="(\d+)"')


@dataclass(frozen=True)
class Write:
    """A reply: when it was sent, when the portal had taken it, and whether the queue lists its ticket from then on."""

    sent: float
    taken: float
    number: str
    is_listed: bool


def run() -> Iterator[Figure]:
    """Measure the idle poll beside a bare page, then two hundred consoles at rest and while replies are written."""
    with (
        scratch_database("bench_console_live", template=built_database("demo")) as database,
        portal(database) as address,
    ):
        cookies = signed_in(address, AGENT, PASSWORD)
        time.sleep(NOTICED_SECONDS)
        rows = Page(address, "/bare/rows/", bare.SIGNED_IN, cookies)
        idle = _idle_poll(address, cookies)
        ours, theirs = side_by_side(idle.requests_per_second, rows.requests_per_second)
        against = "bare page of 50 rows, signed in"
        yield Figure("idle poll", ours, "requests/s", against, theirs, at_least(5))
        yield within("queries of an idle poll", idle.queries(), "queries", limit=1)
        busy, seen = asyncio.run(_measure(address, _consoles(database, address, cookies), cookies))
        yield Figure(f"{CONSOLES} idle consoles", busy, "cores", "one core", 1.0, at_most(0.5))
        for part, number in (("median", 50), ("p95", 95)):
            value = quantiles(seen, n=100)[number - 1]
            name = f"write to seen at {CONSOLES} consoles, {part}"
            if part == "p95":
                yield within(name, value, "s", limit=SEEN_WITHIN_SECONDS)
            else:
                yield Figure(name, value, "s", "limit", SEEN_WITHIN_SECONDS)


def _idle_poll(address: str, cookies: str) -> Page:
    """Return the poll of a console that shows everything there is."""
    shown = _page(address, cookies)
    query = {"view": "waiting", "desk": "vip", "after": "", "tab": "bench", **shown}
    poll = f"/console/live/?{urllib.parse.urlencode(query)}"
    return Page(address, poll, "", cookies, HTTPStatus.NO_CONTENT)


def _page(address: str, cookies: str) -> dict[str, str]:
    """Return the versions that a freshly opened console shows."""
    request = urllib.request.Request(
        f"{address}/console/live/?view=waiting&desk=vip&after=&tab=bench"
    )
    request.add_header("Cookie", cookies)
    with urllib.request.urlopen(request) as answer:
        text = answer.read().decode()
    found = {name: re.search(rf'"{name}Version": (\d+)', text) for name in ("queue", "presence")}
    return {name: match[1] for name, match in found.items() if match}


def _consoles(database: str, address: str, cookies: str) -> list[Console]:
    """Open the consoles, each by an agent of its own, at the tickets of the desk one after the other."""
    environment = {
        **os.environ,
        **database_environment(database),
        "REDIS_URL": os.environ["REDIS_URL"].rsplit("/", 1)[0] + "/9",
    }
    made = subprocess.run(
        [sys.executable, "-m", "bench.subjects.consoles", str(CONSOLES)],
        env=environment,
        cwd=BASE_DIR,
        check=True,
        capture_output=True,
        text=True,
    )
    places = (f"/console/?view={view}&desk=vip" for view in ("waiting", "work", "done"))
    tickets = [row for place in places for row in ROW.findall(_get(address, place, cookies))]
    consoles = []
    for number, session in enumerate(made.stdout.split()):
        ticket_id, ticket = tickets[number % len(tickets)]
        shown = {"view": "waiting", "desk": "vip", "after": "", "tab": "b", "mode": "reading"}
        consoles.append(Console(address, session, {**shown, "ticket": ticket, "open": ticket_id}))
    return consoles


async def _measure(address: str, consoles: list[Console], agent: str) -> tuple[float, list[float]]:
    """Return the cores that idle consoles keep busy, and the seconds from each write to each console's sight of it."""
    over = asyncio.Event()
    polling = [asyncio.create_task(console.run(over)) for console in consoles]
    await asyncio.sleep(SETTLE_SECONDS)
    before = _processor_seconds(address)
    await asyncio.sleep(IDLE_SECONDS)
    busy = (_processor_seconds(address) - before) / IDLE_SECONDS
    customer = await asyncio.to_thread(signed_in, address, CUSTOMER, PASSWORD)
    written = await _write(address, agent, customer)
    over.set()
    await asyncio.gather(*polling)
    return busy, [seen for console in consoles for seen in _seen(console, written)]


async def _write(address: str, agent: str, customer: str) -> list[Write]:
    """Let an agent and a customer answer each other on one ticket."""
    page = await asyncio.to_thread(_get, address, "/console/?view=waiting&desk=vip", agent)
    numbers = [number for _, number in ROW.findall(page)]
    own = await asyncio.to_thread(_get, address, "/support/tickets/", customer)
    number = next(number for number in numbers if number in own)
    written = []
    for turn in range(WRITES):
        by_staff = turn % 2 == 0
        place = f"/console/tickets/{number}/" if by_staff else f"/support/tickets/{number}/"
        sent = time.monotonic()
        await asyncio.to_thread(_post, address, place, agent if by_staff else customer, turn)
        written.append(Write(sent, time.monotonic(), number, not by_staff))
        await asyncio.sleep(BETWEEN_SECONDS)
    return written


def _seen(console: Console, written: list[Write]) -> Iterator[float]:
    """Yield how long each write took to be seen; who saw it before its writer was answered took no time.

    One that was never seen counts as long as the next write was away, which is beyond the limit.
    """
    for write in written:
        listed = f'data-number="{write.number}"'
        instants = (
            at
            for at, news in console.log
            if at > write.sent and "queue" in news and (listed in news["queue"]) is write.is_listed
        )
        yield max(0.0, next(instants, write.taken + BETWEEN_SECONDS) - write.taken)


def _get(address: str, path: str, cookies: str) -> str:
    request = urllib.request.Request(address + path, headers={"Cookie": cookies})
    with urllib.request.urlopen(request) as answer:
        return str(answer.read().decode())


def _post(address: str, place: str, cookies: str, turn: int) -> None:
    token = re.search(r"csrftoken=([^;]+)", cookies)
    fields = {
        "body": f"第 {turn} 次回复",
        "action": "send",
        "csrfmiddlewaretoken": token[1] if token else "",
    }
    request = urllib.request.Request(
        f"{address}{place}reply/",
        data=urllib.parse.urlencode(fields).encode(),
        headers={"Cookie": cookies, "Referer": address + place},
    )
    urllib.request.urlopen(request).close()


def _processor_seconds(address: str) -> float:
    """Return the processor time that the web processes have used."""
    port = f":{urllib.parse.urlsplit(address).port}"
    web = [
        process
        for process in psutil.Process().children(recursive=True)
        if any(part.endswith(port) for part in process.cmdline())
    ]
    return sum(sum(process.cpu_times()[:2]) for process in web)
