"""A running portal on a kept database, with the bare pages in it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running import running_portal

NOT_MEASURED = frozenset({"worker", "timers", "beat", "paygate"})


@contextmanager
def portal(
    database: str, *, without: frozenset[str] = NOT_MEASURED, **environment: str
) -> Iterator[str]:
    """Run the portal on ``database`` and yield its address; ``without`` names processes that would only disturb.

    ``environment`` goes to its processes: a second portal beside a first one has a cache of its own.
    """
    with (
        tempfile.TemporaryDirectory() as data_dir,
        running_portal(
            database,
            Path(data_dir),
            without=without,
            DJANGO_SETTINGS_MODULE="bench.harness.settings",
            **environment,
        ) as address,
    ):
        yield address
