"""How allauth meets the portal."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.mail import EmailMessage, EmailMultiAlternatives

from core.jobs import enqueue


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Mail leaves through the worker, after commit: no request waits for a mail server."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Render a mail of allauth and hand it to the worker."""
        mail: EmailMessage = self.render_mail(template_prefix, email, {**context, "email": email})
        html = (
            str(mail.alternatives[0][0])
            if isinstance(mail, EmailMultiAlternatives) and mail.alternatives
            else ""
        )
        is_html = mail.content_subtype == "html"
        enqueue(
            "accounts.mail_send",
            subject=mail.subject,
            text="" if is_html else mail.body,
            html=mail.body if is_html else html,
            to=list(mail.to),
        )
