"""A thread in every web process that looks whether the timers are on time. It needs no worker, no beat, no broker."""

from __future__ import annotations

import logging
import threading

from django.db import close_old_connections, connection
from typing_extensions import override

from core import clock
from core.tenancy import scope
from tickets.services.outages import LATE_SECONDS, outage_end, outage_note
from tickets.services.sweeps import sweep_lag_seconds

LOOK_SECONDS = 5.0
logger = logging.getLogger(__name__)


class Watch(threading.Thread):
    """Looks every few seconds. Two looks in a row must find the timers late: a demo's clock may jump."""

    def __init__(self) -> None:
        super().__init__(name="timers-watch", daemon=True)
        self.was_late = False

    @override
    def run(self) -> None:
        """Look until the process ends; a look that fails is logged, and the next one tries again."""
        pause = threading.Event()
        while not pause.wait(LOOK_SECONDS):
            close_old_connections()
            try:
                self.look()
            except Exception:
                logger.exception("the timers could not be looked at")
                connection.close()

    def look(self) -> None:
        """Compare the clocks with the time, and write down the begin and the end of an outage."""
        at = clock.now()
        with scope.staff():
            lag = sweep_lag_seconds(at)
            is_late = lag > LATE_SECONDS
            if is_late and self.was_late:
                if outage_note(lag_seconds=lag, at=at):
                    logger.error("timers are late by %d s: no worker sweeps", lag)
            elif not is_late:
                outage_end(at=at)
        self.was_late = is_late
