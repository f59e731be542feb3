"""Sweeps over what is due: each row in a transaction of its own, so that one that cannot be done holds up no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from accounts.models import SweepFailure
from core.tenancy import scope

logger = logging.getLogger(__name__)
# Pauses before a row is tried again, after its first failure, its second, …; the last one repeats.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120))
ERROR_KEPT = 500


def sweep(
    task: str,
    due: Callable[[Sequence[int]], Iterable[tuple[int, str]]],
    do: Callable[[int], object],
    *,
    failed: Callable[[int], object] | None = None,
    at: datetime,
) -> int:
    """Do what is due with each row, in staff's scope; return with how many something was done (``do`` returned true).

    ``due`` returns the keys of rows, each with what people call the row, without the keys that it is given: those have
    failed and wait for their next attempt. A row's error is logged and kept for operators, and undoes that row alone;
    then ``failed`` is told the key.
    """
    with scope.staff():
        known = {failure.key: failure for failure in SweepFailure.objects.filter(task=task)}
        waiting = [key for key, failure in known.items() if failure.next_try_at > at]
        rows = list(due(waiting))
        # What failed and is due no more has been settled otherwise.
        settled = known.keys() - waiting - {key for key, _label in rows}
        _forget(known[key] for key in settled)
    done = 0
    for key, label in rows:
        try:
            with scope.staff():
                done += bool(do(key))
                _forget([known[key]] if key in known else [])
        except Exception as error:  # whatever it is, the next row is due all the same
            logger.exception("%s: %s could not be done", task, label)
            with scope.staff():
                _keep(known.get(key) or SweepFailure(task=task, key=key, times=0), label, error, at)
                if failed is not None:
                    failed(key)
    return done


def _keep(failure: SweepFailure, label: str, error: Exception, at: datetime) -> None:
    """Write a failure; of two sweeps at once the later one stays."""
    SweepFailure.objects.update_or_create(
        task=failure.task,
        key=failure.key,
        defaults={
            "label": label,
            "error": f"{type(error).__name__}: {error}"[:ERROR_KEPT],
            "times": failure.times + 1,
            "failed_at": at,
            "next_try_at": at + PAUSES[min(failure.times, len(PAUSES) - 1)],
        },
    )


def _forget(failures: Iterable[SweepFailure]) -> None:
    if ids := [failure.pk for failure in failures]:
        SweepFailure.objects.filter(pk__in=ids).delete()
