"""Version counters of live pages: one small key per topic, raised after commit; a poll that finds no news is cheap."""

from __future__ import annotations

from functools import cache as remembered

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import transaction

KEEP_SECONDS = 7 * 24 * 3600


def touch(topic: int | str) -> None:
    """Raise the version of a topic (a user's id, or a text such as ``"console"``) once the
    transaction has committed.
    """
    transaction.on_commit(lambda: _raise(topic), robust=True)


def version(topic: int | str) -> int:
    """Return the version of a topic; 0 when it was never touched or the cache was emptied."""
    return int(cache.get(_key(topic), 0))


def stored_key(topic: int | str) -> str:
    """Return the key under which the store itself keeps a topic's version, a plain number."""
    return cache.make_key(_key(topic))


def store() -> redis.Redis:
    """Return the cache's own server, for what takes several steps in one round trip."""
    return _store(str(settings.CACHES["default"]["LOCATION"]))


@remembered
def _store(location: str) -> redis.Redis:
    return redis.Redis.from_url(location)


def _raise(topic: int | str) -> None:
    try:
        cache.incr(_key(topic))
    except ValueError:  # never touched, or forgotten
        cache.add(_key(topic), 0, timeout=KEEP_SECONDS)
        cache.incr(_key(topic))


def _key(topic: int | str) -> str:
    return f"live:{topic}"
