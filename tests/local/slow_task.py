"""A task that takes its time, for a worker that is told to stop meanwhile (``celery worker --include``)."""

from __future__ import annotations

import time
from pathlib import Path

from celery import shared_task

SECONDS = 1.5


@shared_task(name="tests.slow", scope="none")
def slow(begun: str, done: str) -> None:
    """Touch one file, wait, touch the other."""
    Path(begun).touch()
    time.sleep(SECONDS)
    Path(done).touch()
