"""Who takes tickets, and how loaded they are. Staff's scope only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from accounts.models import StaffMember
from tickets.models import Availability, Ticket
from tickets.models.routing import CAPACITY_DEFAULT
from tickets.states import DEALT_ROLES, LOADING_STATES

LISTED = 200


@dataclass(frozen=True)
class Agent:
    """One person who works tickets: whether they take any now, how many they have, the oldest deadline among them."""

    card: StaffMember
    is_accepting: bool
    capacity: int
    load: int
    next_due: datetime | None = None

    @property
    def is_full(self) -> bool:
        """Return True if nothing more is dealt to the person."""
        return self.load >= self.capacity


def agent_of(card: StaffMember) -> Agent:
    """Return one person's state. Two queries."""
    row = Availability.objects.filter(staff_member=card).first()
    load = Ticket.objects.filter(assignee=card, state__in=LOADING_STATES).count()
    return _agent(card, row, load, None)


def agent_list() -> list[Agent]:
    """Return everybody to whom tickets are dealt: those who take some first, then by name. Three queries."""
    dealt = StaffMember.objects.filter(is_active=True, roles__overlap=sorted(DEALT_ROLES))
    cards = list(dealt.order_by("display_name")[:LISTED])
    rows = {row.staff_member_id: row for row in Availability.objects.filter(staff_member__in=cards)}
    loads = {
        row["assignee"]: (row["load"], row["next_due"])
        for row in Ticket.objects.filter(assignee__in=cards, state__in=LOADING_STATES)
        .order_by()
        .values("assignee")
        .annotate(load=Count("pk"), next_due=Min("due_at"))
    }
    agents = [_agent(card, rows.get(card.pk), *loads.get(card.pk, (0, None))) for card in cards]
    return sorted(agents, key=lambda agent: (not agent.is_accepting, agent.card.display_name))


def _agent(
    card: StaffMember, row: Availability | None, load: int, next_due: datetime | None
) -> Agent:
    return Agent(
        card=card,
        is_accepting=row.is_accepting if row else False,
        capacity=row.capacity if row else CAPACITY_DEFAULT,
        load=load,
        next_due=next_due,
    )
