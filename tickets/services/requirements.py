"""The track of a wish for the product: collected → assessed → planned → done or declined (domain.md §5)."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from accounts.access import Actor
from messaging.services import notify
from tickets.desk_states import REQUIREMENT_MOVES, RequirementStage
from tickets.exceptions import ReasonNeeded, RequirementMoveRefused
from tickets.locks import lock_tickets
from tickets.models import RequirementStep, Ticket
from tickets.services.timeline import event_write, touch
from tickets.states import TicketEventKind, TicketKind


def requirement_begin(*, ticket: Ticket, actor: Actor, at: datetime) -> RequirementStep:
    """Write the first step of a submitted requirement: it is collected. The caller's transaction made the ticket."""
    return RequirementStep.objects.create(
        tenant_id=ticket.tenant_id,
        ticket=ticket,
        stage=RequirementStage.COLLECTED,
        created_at=at,
        **actor.snapshot(),
    )


@transaction.atomic
def requirement_move(
    *,
    ticket_id: int,
    stage: RequirementStage,
    actor: Actor,
    at: datetime,
    comment: str = "",
    planned_for: date | None = None,
) -> RequirementStep:
    """Move a requirement on, open ticket or not, and tell the customer. ``planned_for`` counts for planned only.

    Declining needs a comment, which the customer reads. The track outlives the ticket's conversation: what is planned
    is done long after the ticket has closed. Raises RequirementMoveRefused, ReasonNeeded.
    """
    ticket = lock_tickets().get(pk=ticket_id)
    last = RequirementStep.objects.filter(ticket=ticket).order_by("-id").first()
    is_wish = ticket.kind == TicketKind.REQUIREMENT and ticket.merged_into_id is None
    if not is_wish or last is None or stage not in REQUIREMENT_MOVES[last.stage]:
        raise RequirementMoveRefused
    if stage == RequirementStage.DECLINED and not comment.strip():
        raise ReasonNeeded(field="comment")
    step = RequirementStep.objects.create(
        tenant_id=ticket.tenant_id,
        ticket=ticket,
        stage=stage,
        planned_for=planned_for if stage == RequirementStage.PLANNED else None,
        comment=comment.strip(),
        created_at=at,
        **actor.snapshot(),
    )
    event_write(ticket, TicketEventKind.REQUIREMENT, actor=actor, at=at, stage=stage.value)
    notify(
        "tickets.requirement_moved",
        key=f"requirement-{step.pk}",
        audience=[f"user:{ticket.actor_id}"] if ticket.actor_id else ["tenant:owner"],
        context={
            "number": ticket.number,
            "title": ticket.title,
            "stage": stage.value,
            "planned_for": f"{step.planned_for:%Y-%m-%d}" if step.planned_for else "",
            "comment": step.comment,
        },
        url=ticket.get_absolute_url(),
        tenant_id=ticket.tenant_id,
        at=at,
    )
    touch(ticket)
    return step
