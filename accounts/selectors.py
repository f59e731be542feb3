"""Reading what accounts knows of the portal's own health."""

from __future__ import annotations

from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone

from accounts.models import SweepFailure

FAILURES_SHOWN = 50
HEARTBEAT_KEY = "heartbeat:worker"


def worker_lag() -> timedelta | None:
    """Return how long ago a worker last answered the beat's call, in real time; None if none ever did."""
    seen = cache.get(HEARTBEAT_KEY)
    return None if seen is None else timezone.now() - seen


def sweep_failures() -> list[SweepFailure]:
    """Return what sweeps could not do, the newest failures first. One query."""
    return list(SweepFailure.objects.order_by("-failed_at", "-pk")[:FAILURES_SHOWN])
