"""Hand work to the workers by name, after commit. Services never import tasks."""

from __future__ import annotations

from typing import Any

from celery import current_app
from django.db import transaction

from core.tenancy.celery import scope_headers


def enqueue(name: str, /, *, delay_seconds: float = 0, **arguments: Any) -> None:
    """Send the task ``name`` (``"<app>.<task>"``) once the current transaction has committed.

    ``arguments`` are ids and other JSON values. The tenant of the current scope travels in the headers, never in the
    arguments. A broker that cannot be reached is logged and does not fail what was already written: every task that
    matters is also found by a sweep over the database.
    """
    headers = scope_headers()

    def send() -> None:
        current_app.send_task(
            name,
            kwargs=arguments,
            headers=headers,
            countdown=delay_seconds or None,
            ignore_result=True,
        )

    transaction.on_commit(send, robust=True)
