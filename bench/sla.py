"""What a million running clocks cost: a sweep that finds nothing, an outage that is caught up, and how soon a breach is
noticed by the real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from psycopg2 import sql

from bench.harness.databases import built_database
from bench.harness.figures import ROUNDS, Figure, at_least, side_by_side, within
from bench.harness.portal import portal
from bench.harness.programs import program
from bench.subjects import sla as subject
from config.local import BASE_DIR
from tests.databases import as_owner, database_environment, scratch_database

SUBJECT = [sys.executable, "-m", "bench.subjects", "sla", "sweep"]
PEER = [sys.executable, str(BASE_DIR / "bench" / "peers" / "bare_sweep.py")]
PEER += [subject.OVERDUE_AT.isoformat(), str(subject.BATCH)]
# All overdue clocks are taken: half by the subject, half by its peer, a share in each round and in the one before them.
BATCHES = subject.OVERDUE // subject.BATCH // 2 // (ROUNDS + 1)
MOST_QUERIES = 5  # per thousand clocks, stages and messages included
LOOK_MILLISECONDS = 2
FALLING_DUE, OVER_SECONDS = 3000, 60
NOTICED_WITHIN_SECONDS = 6
LEAD_SECONDS, CATCH_UP_SECONDS = 20, 30


def run() -> Iterator[Figure]:
    """Look where nothing is due, catch up beside the bare statement, sweep by two, and let real processes notice."""
    database = built_database("sla", subject.FILLING)
    yield within(
        "sweep that finds nothing among 1,000,000 clocks",
        _ask(database, "look"),
        "ms of SQL",
        limit=LOOK_MILLISECONDS,
    )
    with scratch_database("bench_sla_run", template=database) as copy:
        ours, bare = _caught_up(copy)
        yield Figure(
            "overdue clocks recorded", ours, "clocks/s", "the bare statement", bare, at_least(0.5)
        )
        yield _once("breaches recorded exactly once", copy)
        look = _ask(copy, "look")
        yield within(
            "sweep that finds nothing after the outage", look, "ms of SQL", limit=LOOK_MILLISECONDS
        )
    with scratch_database("bench_sla_run", template=database) as copy:
        queries = _ask(copy, "sweep", "count")
        yield within("queries of 1,000 clocks", queries, "queries", limit=MOST_QUERIES)
        two, one = _by_two(copy)
        yield Figure("two sweepers", two, "clocks/s", "one sweeper", one, at_least(1))
        yield _once("breaches recorded exactly once by two", copy)
    yield _noticed()


def _caught_up(copy: str) -> tuple[float, float]:
    """Return clocks per second of the portal and of the bare statement, which take the same clocks in turn."""
    environment = {**database_environment(copy), "PYTHONPATH": str(BASE_DIR)}
    with (
        program(SUBJECT, BATCHES, **environment) as ours,
        program(PEER, BATCHES, **environment) as bare,
    ):
        values = side_by_side(ours, bare)
    return values[0] * subject.BATCH, values[1] * subject.BATCH


def _by_two(copy: str) -> tuple[float, float]:
    """Return clocks per second of two sweepers at the same time, and of one alone with as many clocks."""
    environment = database_environment(copy)
    half = BATCHES // 2
    with (
        program(SUBJECT, half, **environment) as first,
        program(SUBJECT, half, **environment) as second,
        program(SUBJECT, 2 * half, **environment) as alone,
        ThreadPoolExecutor(2) as pool,
    ):

        def together() -> float:
            begun = time.perf_counter()
            for done in [pool.submit(first), pool.submit(second)]:
                done.result()
            return 2 * half / (time.perf_counter() - begun)

        values = side_by_side(together, alone)
    return values[0] * subject.BATCH, values[1] * subject.BATCH


def _once(name: str, copy: str) -> Figure:
    """Hold the clocks whose breach stands in the log exactly once against those that say that it is recorded."""
    found = sql.SQL(
        "SELECT count(*) FILTER (WHERE recorded = 1), count(*) FROM ("
        "SELECT (SELECT count(*) FROM tickets_clockstage AS stage WHERE stage.tenant_id = clock.tenant_id "
        "AND stage.clock_id = clock.id AND stage.percent = 100) AS recorded "
        "FROM tickets_clock AS clock WHERE stage_passed = 100 AND target_minutes = 14400) AS taken"
    )
    ((once, taken),) = as_owner(found, database=copy)
    return Figure(name, once, "clocks", "clocks taken", taken, at_least(1))


def _noticed() -> Figure:
    """Let clocks fall due over a minute and return how late the real beat and workers noticed it, 99th percentile."""
    with scratch_database("bench_sla_live", template=built_database("demo")) as copy, _live(copy):
        begin = f"now() + interval '{LEAD_SECONDS} seconds'"
        due = f"{begin} + n * interval '{OVER_SECONDS / FALLING_DUE} seconds'"
        filling = subject.TENANT_ROWS + subject.CLOCKS.replace("%%", "%").format(
            tenants=subject.TENANTS, count=FALLING_DUE, due=due, next_stage=due
        )
        as_owner(sql.SQL(filling), database=copy)
        time.sleep(LEAD_SECONDS + OVER_SECONDS + CATCH_UP_SECONDS)
        lags = sql.SQL(
            "SELECT count(*), extract(epoch FROM percentile_disc(0.99) "
            "WITHIN GROUP (ORDER BY noticed_at - stage.due_at)) FROM tickets_clockstage AS stage "
            "JOIN tickets_clock AS clock ON clock.id = stage.clock_id "
            "WHERE clock.target_minutes = 14400 AND percent = 100"
        )
        ((count, late),) = as_owner(lags, database=copy)
    if count != FALLING_DUE:
        raise RuntimeError(f"{count} of {FALLING_DUE} breaches were noticed")
    return within("breach noticed, 99th percentile", float(late), "s", limit=NOTICED_WITHIN_SECONDS)


@contextmanager
def _live(database: str) -> Iterator[None]:
    """Run the portal with its workers and its beat."""
    with portal(database, without=frozenset({"paygate"})):
        yield


def _ask(database: str, *arguments: str) -> float:
    """Run the subject once and return the number that it prints."""
    answer = subprocess.run(
        [*SUBJECT[:-1], *arguments],
        env={**os.environ, "PYTHONPATH": str(BASE_DIR), **database_environment(database)},
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return float(json.loads(answer.stdout))
