"""What agents did in the demo beyond answering: who takes tickets, tags, an incident, links, requirements' tracks.

Made by the real services, but for the tracks of old requirements, which lie in the past.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.access import Actor
from accounts.models import StaffMember
from core.clock import local
from core.tenancy import scope
from tickets.desk_states import RequirementStage
from tickets.models import Availability, RequirementStep, Tag, Ticket
from tickets.services.incidents import incident_end, incident_open, ticket_incident_set
from tickets.services.links import link_add
from tickets.services.routing import availability_set
from tickets.services.tags import ticket_tags_set
from tickets.states import OPEN_STATES, TicketKind

# Display name, whether they take tickets, how many at a time. The VIP desk begins when whoever plays it says so.
AGENTS = (
    ("陈工", False, 8),
    ("刘工", False, 8),
    ("小何", True, 10),
    ("林工", True, 6),
    ("许工", True, 6),
)
TAGGED = (("known_issue", "waiting_product"), ("key_customer",), ("needs_call",), ("risk",))


def load(at: datetime) -> None:
    """Add what is missing; nothing when it is there already."""
    with scope.staff():
        if Availability.objects.exists():
            return
        cards = {card.display_name: card for card in StaffMember.objects.select_related("user")}
        lead = _actor(cards["吴敏"])
        for name, is_accepting, capacity in AGENTS:
            availability_set(
                staff_member_id=cards[name].pk,
                is_accepting=is_accepting,
                capacity=capacity,
                actor=lead,
                at=at,
            )
        _tags(_actor(cards["陈工"]), at)
        _incidents(_actor(cards["陈工"]), at)
        _links(_actor(cards["陈工"]), at)
        _tracks(_actor(cards["林工"]), at)


def _tags(actor: Actor, at: datetime) -> None:
    known = {tag.code: tag.pk for tag in Tag.objects.all()}
    tickets = Ticket.objects.filter(state__in=OPEN_STATES).order_by("queue_rank", "due_at", "id")
    for ticket, codes in zip(tickets, TAGGED, strict=False):
        ticket_tags_set(
            ticket_id=ticket.pk,
            tag_ids=[known[code] for code in codes if code in known],
            actor=actor,
            at=at,
        )


def _incidents(actor: Actor, at: datetime) -> None:
    """Open one incident over tickets of several customers, and one that was over a month ago."""
    past = at - timedelta(days=31)
    old = incident_open(title="华南2 对象存储读延迟升高", product_line=None, actor=actor, at=past)
    incident_end(incident_id=old.pk, actor=actor, at=past + timedelta(hours=2))
    tickets = list(
        Ticket.objects.filter(state__in=OPEN_STATES).order_by("tenant_id", "id").distinct("tenant")
    )
    running = incident_open(
        title="华东1 可用区 2 网络抖动",
        product_line=tickets[0].product_line,
        actor=actor,
        at=at - timedelta(minutes=3),
    )
    for ticket in tickets[:3]:
        ticket_incident_set(ticket_id=ticket.pk, incident_id=running.pk, actor=actor, at=at)


def _links(actor: Actor, at: datetime) -> None:
    """Link each of the newest open tickets with the one before it of its customer."""
    for ticket in Ticket.objects.filter(state__in=OPEN_STATES).order_by("-id")[:3]:
        before = Ticket.objects.filter(tenant=ticket.tenant_id, pk__lt=ticket.pk).order_by("-id")
        earlier = before.filter(product_line=ticket.product_line_id).first()
        if earlier is not None:
            link_add(ticket_id=ticket.pk, other_id=earlier.pk, actor=actor, at=at)


def _tracks(actor: Actor, at: datetime) -> None:
    """Write where the requirements of the last months stand: old ones are done, declined or planned."""
    after = {
        0: (RequirementStage.ASSESSED,),
        1: (RequirementStage.ASSESSED, RequirementStage.PLANNED),
        2: (RequirementStage.ASSESSED, RequirementStage.PLANNED, RequirementStage.DONE),
        3: (RequirementStage.ASSESSED, RequirementStage.DECLINED),
        4: (),
    }
    comments = {
        RequirementStage.PLANNED: "已列入下个版本",
        RequirementStage.DECLINED: "与现有能力重复，可使用标签批量操作",
    }
    steps = []
    wishes = Ticket.objects.filter(kind=TicketKind.REQUIREMENT).order_by("id")
    for number, wish in enumerate(wishes):
        steps.append(
            RequirementStep(
                tenant_id=wish.tenant_id,
                ticket=wish,
                stage=RequirementStage.COLLECTED,
                created_at=wish.created_at,
                actor_id=wish.actor_id,
                actor_name=wish.actor_name,
                actor_title=wish.actor_title,
            )
        )
        for days, stage in enumerate(after[number % len(after)], start=1):
            when = wish.created_at + timedelta(days=3 * days)
            if when >= at:
                break
            is_planned = stage == RequirementStage.PLANNED
            steps.append(
                RequirementStep(
                    tenant_id=wish.tenant_id,
                    ticket=wish,
                    stage=stage,
                    comment=comments.get(stage, ""),
                    planned_for=local(when + timedelta(days=90)).date() if is_planned else None,
                    created_at=when,
                    **actor.snapshot(),
                )
            )
    RequirementStep.objects.bulk_create(steps)


def _actor(card: StaffMember) -> Actor:
    return Actor(user=card.user, name=card.display_name, title=card.title, is_staff=True)
