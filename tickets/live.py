"""Topics of the live pages: one counter for the queue, one per ticket (see ``messaging.live``).

A ticket's topic is the name of its mail thread as well (see ``messaging.threads``).
"""

from __future__ import annotations

CONSOLE = "console"


def ticket_topic(ticket_id: int) -> str:
    """Return the topic of one ticket's conversation."""
    return f"ticket-{ticket_id}"


def ticket_of_topic(topic: str) -> int | None:
    """Return the ticket of a topic; None for a topic of another kind."""
    kind, _, number = topic.partition("-")
    return int(number) if kind == "ticket" and number.isdecimal() else None
