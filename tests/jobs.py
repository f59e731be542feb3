"""Run enqueued work inside a test: the real tasks, in order, each in the scope that its message asks for."""

from __future__ import annotations

from typing import Any

from celery import current_app

MOST_ROUNDS = 50


class JobRunner:
    """Collects what ``enqueue`` sends; calling it runs everything, and what that enqueues in turn."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self.done: list[str] = []
        current_app.loader.import_default_modules()

    def collect(
        self, name: str, *, kwargs: dict[str, Any], headers: dict[str, Any], **_: Any
    ) -> None:
        """Stand in for the broker."""
        self.waiting.append((name, kwargs, headers))

    def __call__(self) -> list[str]:
        """Run until nothing is left; return the names of the tasks that ran."""
        for _ in range(MOST_ROUNDS):
            if not self.waiting:
                return self.done
            batch, self.waiting = self.waiting, []
            for name, kwargs, headers in batch:
                task = current_app.tasks[name]
                task.push_request(headers=headers)
                try:
                    task(**kwargs)
                finally:
                    task.pop_request()
                self.done.append(name)
        raise AssertionError(f"work goes on and on: {[name for name, *_ in self.waiting]}")
