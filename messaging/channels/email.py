"""Mail, as HTML and text."""

from __future__ import annotations

from django.core.mail import EmailMultiAlternatives

from messaging.models import Delivery


def send(delivery: Delivery) -> None:
    """Hand the mail to the server. Raises OSError or smtplib.SMTPException; the caller records it and tries again."""
    mail = EmailMultiAlternatives(
        subject=delivery.subject,
        body=delivery.text,
        to=[delivery.recipient.email],
        headers={
            "Message-ID": f"<delivery-{delivery.pk}@portal>",
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(delivery.html, "text/html")
    mail.send()
