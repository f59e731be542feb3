"""The SQL of a page. Knows nothing of pytest: the benchmarks count with it too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

BOOKKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "SELECT SET_CONFIG")


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """Collect the SQL of a page, without the bookkeeping of transactions and scopes."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found.extend(q["sql"] for q in captured if not q["sql"].upper().startswith(BOOKKEEPING))
