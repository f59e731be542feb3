"""Sweeps over what is due. Each may run twice and side by side."""

import logging

from celery import shared_task

from core import clock
from core.tenancy import scope
from tickets.services import coverages, routing, sweeps, tickets

MOST_BATCHES = 200
logger = logging.getLogger(__name__)


@shared_task(name="tickets.sweep", scope="none")
def sweep() -> None:
    """Record the stages that clocks passed, batch by batch, each batch in its own transaction of staff's scope."""
    at = clock.now()
    for _ in range(MOST_BATCHES):
        with scope.staff():
            taken = sweeps.stages_sweep(at=at)
        if taken < sweeps.BATCH:
            return
    logger.warning("the sweep stopped after %s batches; the next one goes on", MOST_BATCHES)


@shared_task(name="tickets.windows_sync", scope="staff")
def windows_sync() -> None:
    """Bring open tickets to the assurance windows that opened or ended."""
    coverages.windows_sync(at=clock.now())


@shared_task(name="tickets.tickets_close_due", scope="staff")
def tickets_close_due() -> None:
    """Close what was solved 7 days ago."""
    tickets.tickets_close_due(at=clock.now())


@shared_task(name="tickets.tickets_deal", scope="staff")
def tickets_deal() -> None:
    """Deal a batch of waiting tickets to those who have a free place."""
    routing.tickets_deal(at=clock.now())
