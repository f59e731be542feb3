"""Topics of the live pages: one counter for the queue, one per ticket (see ``messaging.live``)."""

from __future__ import annotations

CONSOLE = "console"


def ticket_topic(ticket_id: int) -> str:
    """Return the topic of one ticket's conversation."""
    return f"ticket-{ticket_id}"
