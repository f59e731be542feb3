"""Sweeps over what is due. Each may run twice and side by side."""

import logging
from datetime import datetime

from celery import shared_task

from core import clock
from core.tenancy import scope
from tickets.services import coverages, routing, sweeps, tickets

MOST_BATCHES = 200
logger = logging.getLogger(__name__)


@shared_task(name="tickets.sweep", scope="none")
def sweep() -> None:
    """Open the windows whose time has come, then record the stages that clocks passed.

    The windows come first: one that began during an outage moves stages to earlier instants. Batch by batch, each in
    its own transaction of staff's scope.
    """
    at = clock.now()
    try:
        with scope.staff():
            coverages.windows_sync(at=at)
    finally:  # stages are recorded in any case; what went wrong with a window goes on to the worker's log
        _stages_sweep(at)


def _stages_sweep(at: datetime) -> None:
    for _ in range(MOST_BATCHES):
        with scope.staff():
            taken = sweeps.stages_sweep(at=at)
        if taken < sweeps.BATCH:
            return
    logger.warning("the sweep stopped after %s batches; the next one goes on", MOST_BATCHES)


@shared_task(name="tickets.tickets_close_due", scope="staff")
def tickets_close_due() -> None:
    """Close what was solved 7 days ago."""
    tickets.tickets_close_due(at=clock.now())


@shared_task(name="tickets.tickets_deal", scope="staff")
def tickets_deal() -> None:
    """Deal a batch of waiting tickets to those who have a free place."""
    routing.tickets_deal(at=clock.now())
