"""Sweeps over what is due. Each may run twice and side by side."""

import io
import logging
from datetime import datetime

from celery import shared_task

from core import clock
from core.tenancy import scope
from tickets.models import Attachment
from tickets.previews import PICTURES, preview_of
from tickets.scanners import ScanFailed, Verdict, scanner
from tickets.services import attachments, coverages, routing, sweeps, tickets

MOST_BATCHES = 200
CHECK_BATCH = 50
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


@shared_task(name="tickets.attachments_discard", scope="staff")
def attachments_discard(message_id: int) -> None:
    """Delete the files of a recalled message."""
    attachments.attachments_discard(message_id=message_id)


@shared_task(name="tickets.attachments_check", scope="none")
def attachments_check() -> None:
    """Scan the files that wait for it and make the small pictures, each outside any transaction."""
    for _ in range(CHECK_BATCH):
        with scope.staff():
            row = attachments.attachment_claim(at=clock.now())
        if row is None:
            return
        try:
            verdict, preview = _look_at(row)
        except (ScanFailed, OSError) as error:
            logger.warning("attachment %s could not be checked: %s", row.pk, error)
            with scope.staff():
                attachments.attachment_postpone(attachment_id=row.pk, at=clock.now())
            continue
        with scope.staff():
            attachments.attachment_judge(
                attachment_id=row.pk, verdict=verdict, preview=preview, at=clock.now()
            )


def _look_at(row: Attachment) -> tuple[Verdict | None, bytes | None]:
    """Return what the scanner says (None without one) and the picture of a safe image. Raises ScanFailed, OSError."""
    engine = scanner()
    with row.file.open("rb") as file:
        verdict = engine.scan(file.chunks()) if engine else None
    if row.content_type not in PICTURES or (verdict and not verdict.is_safe):
        return verdict, None
    with row.file.open("rb") as file:
        return verdict, preview_of(io.BytesIO(file.read()))


@shared_task(name="tickets.unsent_discard", scope="staff")
def unsent_discard() -> None:
    """Delete files that were uploaded and never sent."""
    attachments.unsent_discard(at=clock.now())
