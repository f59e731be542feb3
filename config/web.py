"""Gunicorn's hooks: ``--config=python:config.web``. Every web process watches the timers."""

from __future__ import annotations


def post_worker_init(_worker: object) -> None:
    """Start the watch in the worker process: threads of the main one do not survive the fork."""
    from tickets.watch import Watch  # noqa: PLC0415  (Django is set up by now)

    Watch().start()
