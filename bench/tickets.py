"""Agents' queue, ticket page, replies, submissions, search: beside bare pages, and beside django-helpdesk."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import urllib.parse
import uuid
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import quantiles
from tempfile import TemporaryDirectory

from psycopg2 import sql

from accounts.demo_people import PASSWORD
from bench.harness import bare
from bench.harness.databases import built_database, kept_database
from bench.harness.figures import Figure, Goal, at_least, side_by_side, within
from bench.harness.http import Form, Page, signed_in
from bench.harness.portal import portal
from bench.harness.programs import LOCKS, peer_python, program, server
from bench.subjects.ticket_filling import filling
from bench.subjects.tickets import CLOCKS
from config import env
from config.local import BASE_DIR
from supportplans.models import ProductLine
from tests.databases import as_owner, database_environment, scratch_database
from tests.running import free_port

SMALL, LARGE = 200_000, 1_000_000
AGENT, CUSTOMER = "agent@portal.example", "owner@huachen.example"
PER_SECOND = "requests/s"
MOST_QUERIES = {"queue": 8, "ticket page": 12, "staff reply": 12, "customer submission": 12}
SEARCH_MILLISECONDS, SEARCHES = 200, 100
# Of one or two words, in Chinese and Latin, with hits from a twentieth of all tickets to none.
WORDS = (
    "登录",
    "权限",
    "证书过期",
    "小程序",
    "云主机 无法连接",
    "Error 42",
    "CentOS",
    "vm-8f31c2",
    "快照",
    "没有这个词",
)
PEER = "django-helpdesk"
PEER_PROGRAM = BASE_DIR / "bench" / "peers" / "django_helpdesk.py"
PEER_PASSWORD, PEER_DUE = "a benchmark keeps no secrets", 200
PEER_QUERY = {
    "filtering": {"status__in": [1, 2]},
    "sorting": "created",
    "search_string": "",
    "sortreverse": False,
}


def run() -> Iterator[Figure]:
    """Measure pages at two sizes, then what writes, then the same beside the peer."""
    small, large = (
        built_database("tickets_small", filling(SMALL)),
        built_database("tickets_large", filling(LARGE)),
    )
    with (
        portal(small) as address,
        portal(large, REDIS_URL=_cache_beside()) as large_address,
    ):
        yield from _queues(_Console(address, small), _Console(large_address, large))
        yield from _search(address)
    with scratch_database("bench_tickets_run", template=small) as database:
        with portal(database) as address:
            console = _Console(address, database)
            yield from _writes(console)
            yield from _beside_peer(console)
        yield from _escalation(database)


@dataclass
class _Console:
    """What an agent and a customer ask of a portal on a database with many tickets."""

    address: str
    database: str

    def __post_init__(self) -> None:
        self.agent = signed_in(self.address, AGENT, PASSWORD)
        self.customer = signed_in(self.address, CUSTOMER, PASSWORD)
        self.rows = Page(self.address, "/bare/rows/", bare.SIGNED_IN, self.agent)
        self.queue = self._page("/console/?view=waiting&desk=vip")
        waiting = "FROM tickets_ticket WHERE due_at IS NOT NULL AND desk = 'vip'"
        rank, due, pk = self._ask(
            f"SELECT queue_rank, due_at, id {waiting} ORDER BY queue_rank, due_at, id "
            f"OFFSET (SELECT count(*) * 9 / 10 {waiting}) LIMIT 1"
        )[0]
        key = urllib.parse.quote(f"{rank}~{due.isoformat()}~{pk}")
        self.deep = self._page(f"/console/?view=waiting&desk=vip&after={key}")
        number = self._ask(
            "SELECT number FROM tickets_ticket WHERE due_at IS NOT NULL AND id IN (SELECT ticket_id "
            "FROM tickets_ticketmessage GROUP BY ticket_id HAVING count(*) = 6) LIMIT 1"
        )[0][0]
        self.ticket = Page(
            self.address,
            f"/console/tickets/{number}/?view=waiting&desk=vip",
            "composer--reply",
            self.agent,
        )

    def replies(self) -> Form:
        """Return the answer to one waiting customer after the other."""
        numbers = self._ask(
            "SELECT number FROM tickets_ticket WHERE state = 'new' AND desk = 'vip' ORDER BY id"
        )
        fields = {"body": "您好，我们正在排查，请稍候。", "action": "send"}
        sent = [
            (f"/console/tickets/{number}/reply/", {**fields, "key": uuid.uuid4().hex})
            for (number,) in numbers
        ]
        return Form(self.address, iter(sent), "/console/tickets/", self.agent)

    def submissions(self) -> Form:
        """Return a new ticket, again and again."""
        line = self._ask(f"SELECT min(id) FROM {ProductLine._meta.db_table}")[0][0]
        fields = {
            "effect": "impaired", "kind": "technical", "product_line": str(line), "title": "云主机响应缓慢",
            "body": "今天上午开始出现，重启之后仍然存在。",
        }  # fmt: skip
        sent = [
            ("/support/tickets/new/", {**fields, "key": uuid.uuid4().hex}) for _ in range(20_000)
        ]
        return Form(self.address, iter(sent), "/support/tickets/", self.customer)

    def inserts(self, cookies: str) -> Form:
        """Return the bare view that writes one row."""
        return Form(self.address, iter([("/bare/insert/", {})] * 100_000), "/bare/rows/", cookies)

    def _page(self, path: str) -> Page:
        return Page(self.address, path, "queue-row__title", self.agent)

    def _ask(self, query: str) -> list[tuple[object, ...]]:
        return as_owner(sql.SQL(query), database=self.database)


def _queues(small: _Console, large: _Console) -> Iterator[Figure]:
    bare_name = "bare page of 50 rows, signed in"
    for size, console in ((SMALL, small), (LARGE, large)):
        yield _beside(
            f"queue at {size:,} tickets", console.queue, bare_name, console.rows, at_least(0.65)
        )
    yield _beside(
        f"queue at {LARGE:,} tickets",
        large.queue,
        f"queue at {SMALL:,} tickets",
        small.queue,
        at_least(0.8),
    )
    yield _beside(
        "deep page of the queue", large.deep, "its first page", large.queue, at_least(1 / 1.5)
    )
    yield _beside("ticket page", small.ticket, bare_name, small.rows, at_least(0.5))
    yield _queries("queue", small.queue)
    yield _queries("ticket page", small.ticket)


def _search(address: str) -> Iterator[Figure]:
    for who, email, path, marker in (
        ("staff", AGENT, "/console/?", "queue-rows"),
        ("a customer with 2,000 tickets", CUSTOMER, "/support/tickets/?", 'name="q"'),
    ):
        cookies = signed_in(address, email, PASSWORD)
        taken: list[float] = []
        for word in WORDS:
            page = Page(address, path + urllib.parse.urlencode({"q": word}), marker, cookies)
            page.milliseconds(1)
            taken += page.milliseconds(SEARCHES // len(WORDS))
        slow = quantiles(taken, n=20)[-1]
        yield within(f"search of {who}, p95", slow, "ms", limit=SEARCH_MILLISECONDS)


def _writes(console: _Console) -> Iterator[Figure]:
    against = "bare view with one INSERT"
    replies, submissions = console.replies(), console.submissions()
    yield _beside("staff reply", replies, against, console.inserts(console.agent), at_least(0.12))
    yield _beside(
        "customer submission",
        submissions,
        against,
        console.inserts(console.customer),
        at_least(0.14),
    )
    yield _queries("staff reply", replies)
    yield _queries("customer submission", submissions)


def _beside_peer(console: _Console) -> Iterator[Figure]:
    address = f"http://127.0.0.1:{free_port()}"
    gunicorn = [
        "-m", "gunicorn", "django_helpdesk:application", "--pythonpath", str(LOCKS), "--workers=2", "--threads=8",
        f"--bind={address.removeprefix('http://')}", "--log-level=warning",
    ]  # fmt: skip
    with (
        TemporaryDirectory() as media,
        scratch_database("bench_helpdesk_run", template=_peer_database()) as database,
        server(
            [peer_python(PEER), *gunicorn],
            f"{address}/helpdesk/login/",
            PEER_MEDIA=media,
            **_peer_environment(database),
        ),
    ):
        agent, customer = (
            signed_in(address, name, PEER_PASSWORD, path="/helpdesk/login/", field="username")
            for name in ("agent", "customer")
        )
        query = b64encode(json.dumps(PEER_QUERY).encode()).decode()
        queue = Page(
            address, f"/helpdesk/datatables_ticket_list/{query}?length=50", "recordsTotal", agent
        )
        ticket = Page(address, "/helpdesk/tickets/400/", "云主机", agent)
        yield _beside("queue", console.queue, PEER, queue, at_least(100))
        yield _beside("ticket page", console.ticket, PEER, ticket, at_least(1.8))
        yield _beside(
            "staff reply", console.replies(), PEER, _peer_replies(address, agent), at_least(2.5)
        )
        yield _beside(
            "customer submission",
            console.submissions(),
            PEER,
            _peer_submissions(address, customer),
            at_least(1.3),
        )


def _peer_replies(address: str, cookies: str) -> Form:
    fields = {
        "queue": "1", "title": "云主机无法连接", "priority": "3", "comment": "我们正在排查，请稍候。", "public": "1",
        "new_status": "1",
    }  # fmt: skip
    sent = [(f"/helpdesk/tickets/{pk}/update/", fields) for pk in range(4000, SMALL, 4)]
    return Form(address, iter(sent), "/helpdesk/tickets/", cookies)


def _peer_submissions(address: str, cookies: str) -> Form:
    fields = {
        "queue": "1", "title": "云主机响应缓慢", "body": "今天上午开始出现，重启之后仍然存在。", "priority": "3",
        "submitter_email": "li@customer.example",
    }  # fmt: skip
    sent = [("/helpdesk/tickets/submit/", fields)] * 20_000
    return Form(address, iter(sent), "ticket=", cookies)


def _escalation(database: str) -> Iterator[Figure]:
    """Measure per ticket: the sweep over clocks that are due, beside the peer's command."""
    subject = [sys.executable, "-m", "bench.subjects", "tickets", "escalate"]
    with (
        scratch_database("bench_helpdesk_run", template=_peer_database()) as peer,
        program(subject, 1, **database_environment(database)) as ours,
        program(
            [peer_python(PEER), str(PEER_PROGRAM), "escalate"], 1, **_peer_environment(peer)
        ) as theirs,
    ):
        sweeps, commands = side_by_side(ours, theirs)
    yield Figure(
        "escalation of what is due",
        sweeps * CLOCKS,
        "tickets/s",
        PEER,
        commands * PEER_DUE,
        at_least(300),
    )


def _peer_database() -> str:
    """Return the peer's database with its tickets, kept from run to run."""
    digest = hashlib.sha256(PEER_PROGRAM.read_bytes() + (LOCKS / f"{PEER}.txt").read_bytes())
    return kept_database("helpdesk", digest.hexdigest(), _fill_peer)


def _fill_peer(database: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(BASE_DIR), **_peer_environment(database)}
    subprocess.run(
        [peer_python(PEER), str(PEER_PROGRAM), "fill"], env=environment, cwd=BASE_DIR, check=True
    )


def _peer_environment(database: str) -> Mapping[str, str]:
    """Return where the peer finds its database: the portal's owner on the portal's server."""
    settings = {**env.database("DATABASE_OWNER_URL"), "NAME": database}
    return {"PEER_DATABASE": json.dumps(settings), "PYTHONPATH": str(BASE_DIR)}


def _cache_beside() -> str:
    """Return a cache that no other portal uses."""
    return os.environ["REDIS_URL"].rsplit("/", 1)[0] + "/10"


def _beside(
    figure: str, ours: Page | Form, against: str, theirs: Page | Form, goal: Goal
) -> Figure:
    values = side_by_side(ours.requests_per_second, theirs.requests_per_second)
    return Figure(figure, values[0], PER_SECOND, against, values[1], goal)


def _queries(name: str, asked: Page | Form) -> Figure:
    return within(f"queries: {name}", asked.queries(), "queries", limit=MOST_QUERIES[name])
