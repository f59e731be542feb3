"""Expansion and sending. Sending talks to the outside and therefore holds no transaction."""

import logging
import smtplib

from celery import shared_task

from core import clock
from core.tenancy import scope
from messaging import services
from messaging.channels import email

SEND_BATCH = 50
EXPAND_BATCHES = 50
logger = logging.getLogger(__name__)


@shared_task(name="messaging.messages_expand", scope="none")
def messages_expand() -> None:
    """Turn waiting messages into deliveries, batch by batch, each in its own transaction of staff's scope."""
    for _ in range(EXPAND_BATCHES):
        with scope.staff():
            taken = services.messages_expand(at=clock.now())
        if taken < services.EXPAND_BATCH:
            return


@shared_task(name="messaging.deliveries_send", scope="none")
def deliveries_send() -> None:
    """Send what is due, one after the other, each outside any transaction."""
    for _ in range(SEND_BATCH):
        with scope.staff():
            delivery = services.delivery_claim(at=clock.now())
        if delivery is None:
            return
        try:
            email.send(delivery)
        except (OSError, smtplib.SMTPException) as error:
            logger.warning("delivery %s failed: %s", delivery.pk, error)
            with scope.staff():
                services.delivery_fail(delivery_id=delivery.pk, error=str(error), at=clock.now())
        else:
            with scope.staff():
                services.delivery_succeed(delivery_id=delivery.pk, at=clock.now())
