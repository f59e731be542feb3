"""Mail of accounts, and the heartbeat."""

from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts.models import Invitation
from accounts.selectors import HEARTBEAT_KEY
from core.tenancy import scope


@shared_task(name="accounts.heartbeat", scope="none")
def heartbeat() -> None:
    """Say that beat, broker and worker are alive."""
    cache.set(HEARTBEAT_KEY, timezone.now(), timeout=None)


@shared_task(
    name="accounts.invitation_mail",
    scope="none",
    autoretry_for=(OSError,),
    retry_backoff=True,
    max_retries=6,
)
def invitation_mail(invitation_id: int, token: str) -> None:
    """Send an invitation. The token travels in the task alone; the database keeps its digest."""
    with scope.staff():
        invitation = Invitation.objects.select_related("tenant").get(pk=invitation_id)
    if invitation.revoked_at or invitation.accepted_at:
        return
    context = {
        "brand": settings.BRAND,
        "invitation": invitation,
        "tenant_name": invitation.tenant.name,
        "link": settings.SITE_URL + reverse("accounts:invitation_accept", args=[token]),
    }
    subject = render_to_string("emails/accounts/invitation.subject.txt", context).strip()
    text = {**context, "body": "emails/accounts/invitation.txt"}
    html = {**context, "body": "emails/accounts/invitation.html", "subject": subject}
    mail = EmailMultiAlternatives(
        subject, render_to_string("emails/frame.txt", text), to=[invitation.email]
    )
    mail.attach_alternative(render_to_string("emails/frame.html", html), "text/html")
    mail.send()


@shared_task(
    name="accounts.mail_send",
    scope="none",
    autoretry_for=(OSError,),
    retry_backoff=True,
    max_retries=6,
)
def mail_send(subject: str, text: str, html: str, to: list[str]) -> None:
    """Send a mail of sign-in (confirmation, reset) that the request has rendered."""
    mail = EmailMultiAlternatives(subject, text, to=to)
    if html:
        mail.attach_alternative(html, "text/html")
    mail.send()
