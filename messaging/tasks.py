"""Expansion and sending. Sending talks to the outside and therefore holds no transaction."""

import logging
import smtplib

from celery import shared_task
from django.conf import settings

from core import clock
from core.tenancy import scope
from messaging import receiving, services
from messaging.channels import email, imap
from messaging.states import InboundWay

SEND_BATCH = 50
EXPAND_BATCHES = 50
PROCESS_BATCH = 200
FETCH_BATCH = 50
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


@shared_task(name="messaging.mails_process", scope="none")
def mails_process() -> None:
    """Read the mails that wait, each in a transaction of its own with what it causes."""
    for _ in range(PROCESS_BATCH):
        with scope.staff():
            if not receiving.mail_process_next(at=clock.now()):
                return


@shared_task(name="messaging.mailbox_poll", scope="none")
def mailbox_poll() -> None:
    """Fetch unseen mail, where a mailbox is configured. A mail is marked as seen only after it is kept here."""
    if not settings.MAIL_IMAP_URL:
        return
    try:
        with imap.open_mailbox() as mailbox:
            for uid, raw in mailbox.unseen(FETCH_BATCH):
                with scope.staff():
                    receiving.mail_receive(raw=raw, way=InboundWay.IMAP, at=clock.now())
                mailbox.done(uid)
    except imap.MailboxFailed as error:
        logger.warning("the mailbox could not be read: %s", error)


@shared_task(name="messaging.raw_discard", scope="staff")
def raw_discard() -> None:
    """Delete the stored text of old mails."""
    receiving.raw_discard(at=clock.now())
