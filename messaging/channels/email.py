"""Mail, as HTML and text. Mails of one conversation refer to its id, and customers can answer them."""

from __future__ import annotations

from django.core.mail import EmailMultiAlternatives

from messaging import threads
from messaging.models import Delivery


def send(delivery: Delivery) -> None:
    """Hand the mail to the server. Raises OSError or smtplib.SMTPException; the caller records it and tries again."""
    mail = EmailMultiAlternatives(
        subject=delivery.subject,
        body=delivery.text,
        to=[delivery.recipient.email],
        reply_to=_reply_to(delivery),
        headers=_headers(delivery),
    )
    mail.attach_alternative(delivery.html, "text/html")
    mail.send()


def _headers(delivery: Delivery) -> dict[str, str]:
    """Return the headers that keep a conversation together in mail programs (RFC 5322 §3.6.4)."""
    headers = {
        "Message-ID": threads.delivery_id(delivery.pk, delivery.thread),
        "Auto-Submitted": "auto-generated",
    }
    if delivery.thread:
        headers["References"] = headers["In-Reply-To"] = threads.thread_id(delivery.thread)
    return headers


def _reply_to(delivery: Delivery) -> list[str] | None:
    """Return the address for this person's replies to this conversation. Staff answers in the console."""
    if not delivery.thread or delivery.tenant_id is None or not threads.is_enabled():
        return None
    to = threads.ReplyTo(
        thread=delivery.thread, tenant_id=delivery.tenant_id, user_id=delivery.recipient_id
    )
    return [threads.reply_address(to)]
