"""Pure rules of what a customer may do about a ticket besides replying (domain.md §5). Nothing here reads the clock."""

from __future__ import annotations

from datetime import datetime, timedelta

# An own message can be taken back so long after it was sent.
RECALL_WITHIN = timedelta(minutes=2)
# A solved ticket can be reopened so long; then it closes by itself.
REOPEN_WITHIN = timedelta(days=7)


def urge_possible_at(
    *, submitted: datetime, last_urge: datetime | None, target_minutes: int
) -> datetime:
    """Return from when a ticket can be urged 催单: one target period after the submission or the last urge."""
    return max(submitted, last_urge or submitted) + timedelta(minutes=target_minutes)


def urge_waits(*, urged: datetime | None, last_message: datetime, last_is_staff: bool) -> bool:
    """Return True from the customer's urge of an open ticket until staff answers."""
    return urged is not None and not (last_is_staff and last_message >= urged)


def can_recall(*, sent: datetime, at: datetime) -> bool:
    """Return True while a message sent at ``sent`` can be taken back; the last instant counts."""
    return at <= sent + RECALL_WITHIN


def reopen_until(*, resolved: datetime | None, closed: datetime | None) -> datetime | None:
    """Return until when an ended ticket can be reopened, counted from its resolution; None for an open one."""
    ended = resolved or closed
    return None if ended is None else ended + REOPEN_WITHIN
