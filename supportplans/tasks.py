"""Sweeps over terms. Each may run twice."""

from celery import shared_task

from core import clock
from supportplans.services import links, subscriptions


@shared_task(name="supportplans.subscriptions_expire_due", scope="none")
def subscriptions_expire_due() -> None:
    """End what has reached its end."""
    subscriptions.subscriptions_expire_due(at=clock.now())


@shared_task(name="supportplans.end_notices_send", scope="none")
def end_notices_send() -> None:
    """Tell owners whose term ends soon."""
    subscriptions.end_notices_send(at=clock.now())


@shared_task(name="supportplans.links_carry", scope="staff")
def links_carry() -> None:
    """Carry over to the other account what one account did about a link."""
    links.links_carry(at=clock.now())


@shared_task(name="supportplans.links_end_due", scope="staff")
def links_end_due() -> None:
    """End invitations that nobody answered, and all links once the offer is over."""
    links.links_end_due(at=clock.now())
