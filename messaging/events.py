"""What upper apps can react to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ReplyReceived:
    """A person answered a thread by mail. ``at`` is the instant of receipt; the words are in the kept mail.

    ``user_id`` is whom the reply address was made for, ``sender`` the address that the mail came from. The app whose
    thread it is takes it over, or raises ``messaging.receiving.ReplyRefused``.
    """

    mail_id: int
    tenant_id: int
    thread: str
    user_id: int
    sender: str
    at: datetime
