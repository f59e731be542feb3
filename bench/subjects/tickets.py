"""The portal's side of ``bench/tickets.py`` that no page does: recording the stages of clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

from bench.harness.loop import serve
from core import clock
from core.tenancy import scope
from tests.queries import counted_queries
from tickets import sla
from tickets.models import Clock
from tickets.tasks import sweep

CLOCKS, WARNED = 1000, 80


@contextmanager
def escalate() -> Iterator[Callable[[], object]]:
    """Let the next ``CLOCKS`` running clocks be a second late, and sweep: a breach each, recorded and told."""
    with scope.staff():
        Clock.objects.filter(next_stage_at__isnull=False).update(next_stage_at=None)
        running = list(
            Clock.objects.filter(stopped_at=None).order_by("pk").values_list("pk", flat=True)
        )
    turns = count()

    def operation() -> None:
        at, begin = clock.now(), next(turns) * CLOCKS
        due = at - timedelta(seconds=1)
        with scope.staff():
            changed = Clock.objects.filter(pk__in=running[begin : begin + CLOCKS]).update(
                started_at=at - timedelta(minutes=10),
                due_at=due,
                stage_percents=[WARNED, sla.BREACH],
                stage_instants=[due - timedelta(minutes=2), due],
                stage_passed=WARNED,
                next_stage_at=due,
            )
        assert changed == CLOCKS
        sweep()

    yield operation


def main(name: str, *, counts: bool) -> None:
    """Serve the operation, or print how often it asks the database."""
    operations = {"escalate": escalate}
    with operations[name]() as operation:
        if not counts:
            serve(operation)
            return
        with counted_queries() as queries:
            operation()
        print(len(queries))
