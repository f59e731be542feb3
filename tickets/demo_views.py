"""Views of the search for the demo: two of the team, one of an agent."""

from __future__ import annotations

from datetime import datetime

from accounts.models import StaffMember
from tickets.models import SavedView
from tickets.selectors.search import NOBODY, OPEN

VIEWS = (
    ("lead@portal.example", "紧急未解决", {"state": OPEN, "severity": "urgent"}, True),
    ("lead@portal.example", "待分派", {"state": OPEN, "assignee": NOBODY}, True),
    ("agent@portal.example", "登录与权限", {"q": "登录"}, False),
)


def load(at: datetime) -> None:
    """Make the views. The caller makes sure that they are not there yet."""
    owners = {card.user.email: card for card in StaffMember.objects.select_related("user")}
    SavedView.objects.bulk_create(
        SavedView(owner=owners[email], name=name, filters=filters, is_shared=shared, created_at=at)
        for email, name, filters, shared in VIEWS
    )
