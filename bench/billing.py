"""What prices and orders cost: the rules alone, then with the database, beside django-plans doing the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from time import process_time

from bench.harness.databases import built_database
from bench.harness.figures import Figure, Goal, at_least, side_by_side, within
from bench.harness.programs import peer_python, program
from bench.subjects import billing as subject
from bench.subjects import quotes
from config import env
from config.local import BASE_DIR
from tests.databases import database_environment, scratch_database

SUBJECT = [sys.executable, "-m", "bench.subjects", "billing"]
PEER_PROGRAM = str(BASE_DIR / "bench" / "peers" / "django_plans.py")
BARE = {"PEER_EXTRAS": "0"}
QUOTES_AT_LEAST = 20_000  # per second, on one core
QUOTE_TURNS = 500


@dataclass(frozen=True)
class Operation:
    """What both programs do under ``name``, ``per_round`` of it at a time; ``queries`` is the portal's budget."""

    name: str
    figure: str
    unit: str
    per_round: int
    queries: int
    goal: Goal | None


OPERATIONS = (
    Operation("upgrade_price", "price of a stored upgrade", "prices/s", 200, 2, at_least(5)),
    Operation("create", "order creation", "orders/s", 40, 8, at_least(2.5)),
    Operation("complete", "order completion", "orders/s", 40, 18, at_least(2.5)),
    # The peer keeps no payments: what the portal does more is shown, and has no goal.
    Operation("pay_and_complete", "payment and order completion", "orders/s", 40, 25, None),
)


def run() -> Iterator[Figure]:
    """Measure quotes, then the price of a stored upgrade, the creation of an order and its completion."""
    yield from _quotes()
    python = peer_python("django-plans")
    database = built_database("billing", subject.FILLING)
    with scratch_database("bench_billing_plans") as plans:
        _ask([python, PEER_PROGRAM, "fill"], _peer_environment(plans))
        for operation in OPERATIONS:
            yield from _compared(operation, database, python, plans)


def _quotes() -> Iterator[Figure]:
    """Measure the rules in processor time, which is what one core gives a second."""
    ours, bare = side_by_side(
        partial(_per_second, quotes.quote_all), partial(_per_second, quotes.bare_amounts)
    )
    yield Figure("quotes", ours, "quotes/s", "the bare arithmetic", bare, at_least(0.03))
    yield Figure("quotes of one core", ours, "quotes/s", "limit", QUOTES_AT_LEAST, at_least(1))


def _per_second(ask_all: Callable[[], object]) -> float:
    begun = process_time()
    for _ in range(QUOTE_TURNS):
        ask_all()
    return QUOTE_TURNS * len(quotes.QUESTIONS) / (process_time() - begun)


def _compared(operation: Operation, database: str, python: str, plans: str) -> Iterator[Figure]:
    """Measure the portal beside the peer as it is set up by default, then beside the least that the peer can do."""
    ask = [*SUBJECT, operation.name]
    ask_peer = [python, PEER_PROGRAM, operation.name.removeprefix("pay_and_")]
    for against, extras, goal in (
        ("django-plans", {}, operation.goal),
        ("django-plans without invoices and mail", BARE, None),
    ):
        if extras and operation.name == "upgrade_price":
            continue
        with ExitStack() as stack:
            ours = stack.enter_context(scratch_database("bench_billing_run", template=database))
            theirs = stack.enter_context(scratch_database("bench_plans_run", template=plans))
            per_second = [
                stack.enter_context(program(command, operation.per_round, **environment))
                for command, environment in (
                    (ask, database_environment(ours)),
                    (ask_peer, _peer_environment(theirs, extras)),
                )
            ]
            values = side_by_side(*per_second)
        yield Figure(operation.figure, values[0], operation.unit, against, values[1], goal)
    with scratch_database("bench_billing_run", template=database) as ours:
        queries = int(_ask([*ask, "count"], database_environment(ours)))
    yield within(f"queries: {operation.figure}", queries, "queries", limit=operation.queries)


def _peer_environment(name: str, extras: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return where the peer finds its database: the portal's owner on the portal's server."""
    settings = {**env.database("DATABASE_OWNER_URL"), "NAME": name}
    return {"PEER_DATABASE": json.dumps(settings), **(extras or {})}


def _ask(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run a program to its end and return what it prints."""
    answer = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(BASE_DIR), **environment},
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return answer.stdout
