"""Where wishes for the product stand (domain.md §5, §8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tickets.desk_states import RequirementStage
from tickets.models import RequirementStep, Ticket
from tickets.states import TicketKind

LISTED = 200


@dataclass(frozen=True)
class RequirementLine:
    """One requirement as a month's report lists it: where it stood at the month's end."""

    number: str
    title: str
    submitted: datetime
    stage: RequirementStage
    since: datetime
    planned_for: date | None
    comment: str


def track_of(ticket: Ticket) -> list[RequirementStep]:
    """Return the steps of a requirement's track, oldest first. One query."""
    return list(RequirementStep.objects.filter(ticket=ticket).order_by("id"))


def requirements_of_month(tenant_id: int, start: datetime, end: datetime) -> list[RequirementLine]:
    """Return a tenant's requirements that were on their way in [start, end), oldest first. Two queries.

    Those that were submitted or moved then, and those whose track was still open at ``end``; at most 200.
    """
    last: dict[int, RequirementStep] = {}
    for step in RequirementStep.objects.filter(tenant_id=tenant_id, created_at__lt=end).order_by(
        "id"
    ):
        last[step.ticket_id] = step
    ended = {RequirementStage.DONE, RequirementStage.DECLINED}
    shown = [pk for pk, step in last.items() if step.created_at >= start or step.stage not in ended]
    tickets = (
        Ticket.objects.filter(pk__in=shown, kind=TicketKind.REQUIREMENT, merged_into=None)
        .only("number", "title", "created_at")
        .order_by("created_at", "id")[:LISTED]
    )
    return [
        RequirementLine(
            number=ticket.number,
            title=ticket.title,
            submitted=ticket.created_at,
            stage=RequirementStage(last[ticket.pk].stage),
            since=last[ticket.pk].created_at,
            planned_for=last[ticket.pk].planned_for,
            comment=last[ticket.pk].comment,
        )
        for ticket in tickets
    ]
