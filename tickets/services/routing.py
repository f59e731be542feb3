"""Dealing tickets to those who take them, and who takes them (domain.md §5; screens.md, top bar).

Customers' transactions cannot see who works: a submission leaves its ticket unassigned and wakes the worker, which
deals what waits in queue order. A task that gets lost is made good by the sweep a few seconds later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Q

from accounts.access import SYSTEM, Actor
from accounts.models import StaffMember
from core.jobs import enqueue
from messaging import live
from tickets.desk_states import TIERS, Team
from tickets.exceptions import AssigneeUnfit, CapacityOutOfRange
from tickets.live import CONSOLE
from tickets.locks import lock_accepting, lock_tickets
from tickets.models import Availability, Clock, Ticket
from tickets.models.routing import CAPACITY_DEFAULT, CAPACITY_MOST
from tickets.services.assignment import assignee_write
from tickets.states import DEALT_ROLES, LOADING_STATES, OPEN_STATES, Desk

DEAL_BATCH = 100
DEAL_TASK = "tickets.tickets_deal"


@dataclass
class Place:
    """One person's load while tickets are dealt; ``row`` is locked."""

    row: Availability
    load: int

    @property
    def is_free(self) -> bool:
        """Return True if the person can take one more."""
        return self.load < self.row.capacity

    def rank(self, distance: int) -> tuple[int, float, float, int]:
        """Return who comes first: the team's own tier, the lowest load, the longest wait, the older card."""
        dealt = self.row.dealt_at.timestamp() if self.row.dealt_at else 0.0
        return (distance, self.load / self.row.capacity, dealt, self.row.staff_member_id)


@transaction.atomic
def availability_set(
    *,
    staff_member_id: int,
    is_accepting: bool,
    actor: Actor,
    at: datetime,
    capacity: int | None = None,
) -> Availability:
    """Say whether someone takes tickets, and how many at a time (1 to 50). Who stops keeps what they have.

    Raises AssigneeUnfit for a person to whom no tickets are dealt, CapacityOutOfRange.
    """
    card = StaffMember.objects.filter(pk=staff_member_id, is_active=True).first()
    if card is None or not DEALT_ROLES & set(card.roles):
        raise AssigneeUnfit(field="assignee")
    if capacity is not None and not 1 <= capacity <= CAPACITY_MOST:
        raise CapacityOutOfRange(field="capacity")
    values = {"is_accepting": is_accepting, "changed_at": at}
    if capacity is not None:
        values["capacity"] = capacity
    row, _ = Availability.objects.update_or_create(
        staff_member=card,
        defaults=values,
        create_defaults={"capacity": CAPACITY_DEFAULT, **values},
    )
    if is_accepting:
        enqueue(DEAL_TASK)
    live.touch(CONSOLE)
    return row


@transaction.atomic
def tickets_deal(*, at: datetime, limit: int = DEAL_BATCH) -> int:
    """Deal waiting tickets in queue order to those who have a free place; return how many. Safe to run twice.

    Whoever deals holds the rows of all who take tickets: the last free place is given once. Whom a ticket had an
    answer from is asked first, then the least loaded of its team. Tickets that someone else holds wait for the next
    time. What is taken or handed over by hand may go beyond a capacity; nothing that is dealt does.
    """
    places = _places(lock_accepting())
    dealt = 0
    # A round may spend its reading on a team that fills up: the next one reads for those that are left.
    while dealt < limit and (given := _round(places, limit - dealt, at)):
        dealt += given
    for place in places:
        if place.row.dealt_at == at:
            place.row.save(update_fields=["dealt_at"])
    return dealt


def team_of(ticket: Ticket) -> Team:
    """Return who has to have a ticket."""
    return Team(ticket.desk, ticket.tier)


def _round(places: list[Place], limit: int, at: datetime) -> int:
    """Deal once to the teams that have a free place; return how many. At least one, where one waits for them."""
    free = [place for place in places if place.is_free]
    waiting = _waiting(free)
    if waiting is None:
        return 0
    room = min(limit, sum(place.row.capacity - place.load for place in free))
    tickets = list(
        lock_tickets()
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .filter(waiting, state__in=OPEN_STATES, assignee=None)
        .order_by("queue_rank", F("due_at").asc(nulls_last=True), "pk")[:room]
    )
    answered = _answerers(tickets)
    return sum(_deal(ticket, free, answered.get(ticket.pk, ()), at) for ticket in tickets)


def _deal(ticket: Ticket, free: list[Place], answered: Iterable[int], at: datetime) -> bool:
    """Give one ticket away; False when nobody of its team has a place left."""
    team = team_of(ticket)
    ranked: list[tuple[tuple[int, float, float, int], Place]] = []
    for place in free:
        card = place.row.staff_member
        distance = team.distance(card.roles, card.tier)
        if distance is not None and place.is_free:
            ranked.append((place.rank(distance), place))
    if not ranked:
        return False
    fit = {place.row.staff_member_id: place for _, place in ranked}
    known = next((fit[card] for card in answered if card in fit), None)
    chosen = known or min(ranked, key=lambda row: row[0])[1]
    assignee_write(ticket, chosen.row.staff_member, actor=SYSTEM, at=at)
    chosen.load += 1
    chosen.row.dealt_at = at
    return True


def _places(rows: Iterable[Availability]) -> list[Place]:
    """Return those who take tickets with their loads: the open tickets that do not wait for their customers."""
    found = list(rows)
    cards = [row.staff_member_id for row in found]
    loads = dict(
        Ticket.objects.filter(assignee__in=cards, state__in=LOADING_STATES)
        .order_by()
        .values_list("assignee")
        .annotate(count=Count("pk"))
    )
    return [Place(row, loads.get(row.staff_member_id, 0)) for row in found]


def _waiting(free: list[Place]) -> Q | None:
    """Return the condition for tickets whose team has a free place; None when no team has one."""
    cards = [place.row.staff_member for place in free]
    desks = [
        desk
        for desk in Desk.values
        if any(Team(desk).distance(card.roles, card.tier) is not None for card in cards)
    ]
    tiers = [
        tier
        for tier in TIERS
        if any(Team("", tier).distance(card.roles, card.tier) is not None for card in cards)
    ]
    if not desks and not tiers:
        return None
    return Q(tier="", desk__in=desks) | Q(tier__in=tiers)


def _answerers(tickets: list[Ticket]) -> dict[int, list[int]]:
    """Return the cards of those who answered each ticket before, the latest first."""
    found: dict[int, list[int]] = {}
    rows = Clock.objects.filter(
        ticket__in=[ticket.pk for ticket in tickets if ticket.first_response_at],
        answered_by__isnull=False,
    )
    for ticket_id, card_id in rows.order_by("-stopped_at").values_list("ticket", "answered_by"):
        found.setdefault(ticket_id, []).append(card_id)
    return found
