"""Late timers, noticed outside the workers, who may all be dead (domain.md §5). Staff's scope."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Greatest
from django.urls import reverse

from core.clock import local
from messaging import live
from messaging.services import Notice, notify_at_once
from tickets.live import CONSOLE
from tickets.models import SweepOutage

LATE_SECONDS = 30


@transaction.atomic
def outage_note(*, lag_seconds: float, at: datetime) -> bool:
    """Record that timers are late; return True for the first word of an outage, which also alerts the operators.

    The alert is an in-site message that is written here and needs no worker. Open consoles show their banner.
    """
    lag = int(lag_seconds)
    open_ones = SweepOutage.objects.filter(ended_at=None)
    if open_ones.update(worst_seconds=Greatest("worst_seconds", lag)):
        return False
    began = at - timedelta(seconds=lag_seconds)
    try:
        with transaction.atomic():
            outage = SweepOutage.objects.create(began_at=began, noticed_at=at, worst_seconds=lag)
    except IntegrityError:  # another web process was first
        return False
    notify_at_once(
        "tickets.timers_late",
        Notice(
            key=f"outage-{outage.pk}",
            audience=["staff:operator"],
            context={"since": f"{local(began):%Y-%m-%d %H:%M:%S}", "seconds": lag},
            url=reverse("accounts:operations"),
            tenant_id=None,
        ),
        at=at,
    )
    live.touch(CONSOLE)
    return True


@transaction.atomic
def outage_end(*, at: datetime) -> bool:
    """Record that the timers are on time again; return False when they were not late."""
    ended = SweepOutage.objects.filter(ended_at=None).update(ended_at=at)
    if ended:
        live.touch(CONSOLE)
    return bool(ended)
