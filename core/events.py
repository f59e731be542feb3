"""Upward reactions: a lower app publishes a frozen dataclass of ids, upper apps subscribe in ``handlers.py``.

Handlers run in the publisher's transaction, in the order in which the apps registered them. Slow work goes on through
``core.jobs.enqueue``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

Event = TypeVar("Event")
_handlers: dict[type, list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(event: type[Event]) -> Callable[[Callable[[Event], None]], Callable[[Event], None]]:
    """Decorate a function as a handler of ``event``. Registering the same function again changes nothing."""

    def register(handler: Callable[[Event], None]) -> Callable[[Event], None]:
        if handler not in _handlers[event]:
            _handlers[event].append(handler)
        return handler

    return register


def publish(event: object) -> None:
    """Call every handler of the event's class. An error of a handler is the publisher's error: all or nothing."""
    for handler in _handlers[type(event)]:
        handler(event)
