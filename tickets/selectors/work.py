"""What an agent can do with one ticket beyond answering it. Staff's scope only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from core.clock import local
from tickets.desk_states import (
    REQUIREMENT_MOVES,
    IncidentState,
    LinkKind,
    RequirementStage,
    TransferTarget,
)
from tickets.models import (
    Incident,
    IncidentTicket,
    ScopeItem,
    Ticket,
    TicketLink,
    TicketMessage,
)
from tickets.selectors.requirements import track_of
from tickets.selectors.tags import tag_choices, tags_of
from tickets.services.assignment import tier_of_plan
from tickets.states import TicketKind, TicketState

OFFERED = 50


@dataclass(frozen=True)
class Link:
    """The other ticket of a link, and how both belong together."""

    other: Ticket
    kind: LinkKind
    is_later: bool

    @property
    def label(self) -> str:
        """Return what the other ticket is to this one."""
        if self.kind == LinkKind.FOLLOW_UP and not self.is_later:
            return _("前序")
        if self.kind == LinkKind.SPLIT and not self.is_later:
            return _("拆分自")
        return str(self.kind.label)


def work_of(ticket: Ticket) -> dict[str, Any]:
    """Return the context of the work panel. Seven queries, eight for a requirement."""
    chosen = tags_of([ticket.pk]).get(ticket.pk, [])
    incident = incident_of(ticket)
    track = track_of(ticket) if ticket.kind == TicketKind.REQUIREMENT else []
    return {
        "tags": chosen,
        "tag_choices": tag_choices(chosen),
        "links": links_of(ticket),
        "incident": incident,
        "incidents": incident_list(IncidentState.OPEN),
        "targets": transfer_targets(ticket),
        "splittable": splittable(ticket),
        "scope_items": ScopeItem.objects.filter(is_active=True),
        "track": track,
        "next_stages": [
            stage
            for stage in RequirementStage
            if track and stage in REQUIREMENT_MOVES[track[-1].stage]
        ],
    }


def links_of(ticket: Ticket) -> list[Link]:
    """Return a ticket's links with other tickets of its customer, newest first. One query."""
    rows = (
        TicketLink.objects.filter(Q(ticket=ticket) | Q(other=ticket))
        .select_related("ticket", "other")
        .defer("ticket__search", "other__search")
        .order_by("-id")[:OFFERED]
    )
    return [
        Link(
            row.other if row.ticket_id == ticket.pk else row.ticket,
            LinkKind(row.kind),
            row.ticket_id != ticket.pk,
        )
        for row in rows
    ]


def incident_of(ticket: Ticket) -> Incident | None:
    """Return the incident that a ticket stands under, or None."""
    row = IncidentTicket.objects.filter(ticket=ticket).select_related("incident").first()
    return row.incident if row else None


def incident_list(state: IncidentState | None = None) -> QuerySet[Incident]:
    """Return incidents with the number of their tickets, newest first; at most fifty."""
    found = Incident.objects.filter(state=state) if state else Incident.objects.all()
    return (
        found.select_related("product_line")
        .annotate(tickets=Count("ticket_rows"))
        .order_by("-created_at", "-id")[:OFFERED]
    )


def incident_tickets(incident: Incident) -> QuerySet[Ticket]:
    """Return an incident's tickets of all customers in queue order; at most 200."""
    return (
        Ticket.objects.filter(incident_rows__incident=incident)
        .defer("search")
        .select_related("tenant", "assignee")
        .order_by("queue_rank", "due_at", "id")[:200]
    )


def transfer_targets(ticket: Ticket) -> list[tuple[TransferTarget, bool]]:
    """Return where a ticket may go from where it is, and which of them its plan promises (domain.md §1)."""
    promised = tier_of_plan(ticket.plan_code)
    here = ticket.tier or (TransferTarget.VIP if ticket.lent_to_vip else TransferTarget.DESK)
    return [
        (target, target == promised)
        for target in TransferTarget
        if target != here and not (target == TransferTarget.VIP and ticket.desk == target.value)
    ]


def splittable(ticket: Ticket) -> list[tuple[int, str]]:
    """Return the customer's messages that could begin a ticket of their own: all but the first, newest first."""
    if ticket.state == TicketState.CLOSED:
        return []
    rows = TicketMessage.objects.filter(ticket=ticket).order_by("created_at", "id")
    first = rows.values_list("pk", flat=True)[:1]
    newest = rows.filter(is_staff=False).exclude(pk__in=list(first)).order_by("-created_at", "-id")
    return [
        (row.pk, _begins(row.created_at, row.body))
        for row in newest.only("created_at", "body")[:OFFERED]
    ]


def _begins(at: datetime, body: str) -> str:
    return f"{local(at):%m-%d %H:%M} {' '.join(body.split())[:40]}"
