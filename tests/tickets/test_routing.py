"""Who takes tickets, and how what waits is dealt (screens.md, domain.md §5)."""

import pytest

from accounts.models import StaffMember
from accounts.models.users import EngineerTier, StaffRole
from supportplans.states import PlanCode, Severity
from tests.factories.tickets import NOW, minutes, submit, subscribe
from tickets.desk_states import TransferTarget
from tickets.exceptions import (
    AssigneeUnfit,
    CapacityOutOfRange,
    ReasonNeeded,
    TicketMoveRefused,
    TransferPointless,
)
from tickets.models import Availability, Ticket, TicketNote
from tickets.services.assignment import ticket_assign, ticket_take, ticket_transfer
from tickets.services.replies import reply_add
from tickets.services.routing import availability_set, tickets_deal
from tickets.services.tickets import ticket_confirm, ticket_resolve

pytestmark = pytest.mark.usefixtures("as_staff")


@pytest.fixture
def owner(cast):
    return cast.actor(cast.owner)


@pytest.fixture
def lead(cast):
    return cast.actor(cast.staff["team_lead"])


@pytest.fixture
def colleague(cast):
    """A second VIP agent."""
    return StaffMember.objects.create(
        user=cast.outsider, display_name="刘工", title="VIP 专席", roles=[StaffRole.VIP_AGENT]
    )


def engineer(cast, tier):
    card = cast.card("engineer")
    card.tier = tier
    card.save(update_fields=["tier"])
    return card


def accept(card, lead, capacity=8, at=NOW, *, on=True):
    return availability_set(
        staff_member_id=card.pk, is_accepting=on, capacity=capacity, actor=lead, at=at
    )


def fresh(ticket):
    return Ticket.objects.get(pk=ticket.pk)


def test_nobody_takes_tickets_before_saying_so(cast, owner):
    ticket = submit(cast.huachen, owner)
    assert tickets_deal(at=minutes(1)) == 0
    assert fresh(ticket).assignee is None


def test_each_desk_gets_its_own(cast, owner, lead):
    accept(cast.card("vip_agent"), lead)
    accept(cast.card("customer_service"), lead)
    accept(cast.card("engineer"), lead)
    subscribe(cast.huachen, PlanCode.LITE, at=NOW)
    paid, standard = submit(cast.huachen, owner), submit(cast.yunfan, owner)
    assert tickets_deal(at=minutes(1)) == 2
    assert fresh(paid).assignee == cast.card("vip_agent")
    assert fresh(standard).assignee == cast.card("customer_service")
    event = paid.events.get(kind="assigned")
    assert (event.actor, event.details["name"]) == (None, "VIP 专席")
    assert fresh(paid).state == "new"  # no response: the clock runs on


def test_the_least_loaded_is_next_and_among_equals_who_waited_longest(cast, owner, lead, colleague):
    first = cast.card("vip_agent")
    accept(first, lead, capacity=2)
    accept(colleague, lead, capacity=8)
    subscribe(cast.huachen, at=NOW)
    dealt = []
    for minute in range(1, 7):
        ticket = submit(cast.huachen, owner, at=minutes(minute))
        tickets_deal(at=minutes(minute))
        dealt.append(fresh(ticket).assignee)
    # 0/2 and 0/8, 1/2 and 0/8, then up to 4/8, where both are half loaded and the first has waited longer.
    assert dealt == [first, colleague, colleague, colleague, colleague, first]


def test_no_deal_goes_beyond_the_capacity_and_the_queue_keeps_its_order(cast, owner, lead):
    agent = cast.card("vip_agent")
    accept(agent, lead, capacity=1)
    subscribe(cast.huachen, at=NOW)
    general = submit(cast.huachen, owner, at=NOW, severity=Severity.GENERAL)
    urgent = submit(cast.huachen, owner, at=minutes(1))
    assert tickets_deal(at=minutes(2)) == 1
    assert tickets_deal(at=minutes(2)) == 0
    assert (fresh(urgent).assignee, fresh(general).assignee) == (agent, None)
    # A ticket that waits for its customer asks nothing of anybody: the place is free.
    reply_add(
        ticket_id=urgent.pk,
        body="请提供日志",
        actor=cast.actor(agent.user),
        at=minutes(3),
        wait=True,
    )
    assert tickets_deal(at=minutes(4)) == 1
    assert fresh(general).assignee == agent


def test_a_long_queue_of_one_desk_keeps_no_other_waiting(cast, owner, lead):
    accept(cast.card("vip_agent"), lead, capacity=1)
    accept(cast.card("customer_service"), lead, capacity=1)
    subscribe(cast.huachen, at=NOW)
    for minute in range(3):
        submit(cast.huachen, owner, at=minutes(minute))
    last = submit(cast.yunfan, owner, at=minutes(3))
    assert tickets_deal(at=minutes(4)) == 2
    assert fresh(last).assignee == cast.card("customer_service")


def test_a_batch_is_bounded(cast, owner, lead):
    accept(cast.card("customer_service"), lead)
    for minute in range(3):
        submit(cast.huachen, owner, at=minutes(minute))
    assert [tickets_deal(at=minutes(4), limit=2) for _ in range(3)] == [2, 1, 0]


def test_who_stops_keeps_what_they_have_and_gets_no_more(cast, owner, lead):
    agent = cast.card("vip_agent")
    accept(agent, lead)
    subscribe(cast.huachen, at=NOW)
    kept = submit(cast.huachen, owner)
    tickets_deal(at=NOW)
    accept(agent, lead, on=False)
    later = submit(cast.huachen, owner, at=minutes(1))
    assert tickets_deal(at=minutes(2)) == 0
    assert (fresh(kept).assignee, fresh(later).assignee) == (agent, None)
    ticket_assign(
        ticket_id=kept.pk, staff_member_id=cast.card("team_lead").pk, actor=lead, at=minutes(3)
    )
    assert fresh(kept).assignee == cast.card("team_lead")


def test_hands_may_go_beyond_what_dealing_may_not(cast, owner, lead):
    agent = cast.card("vip_agent")
    accept(agent, lead, capacity=1)
    subscribe(cast.huachen, at=NOW)
    for minute in range(3):
        ticket = submit(cast.huachen, owner, at=minutes(minute))
        ticket_take(ticket_id=ticket.pk, actor=cast.actor(agent.user), at=minutes(minute))
    assert Ticket.objects.filter(assignee=agent).count() == 3
    submit(cast.huachen, owner, at=minutes(5))
    assert tickets_deal(at=minutes(5)) == 0


def test_a_reopened_ticket_goes_back_to_who_answered_it_if_free(cast, owner, lead, colleague):
    agent = cast.card("vip_agent")
    accept(agent, lead)
    accept(colleague, lead)
    subscribe(cast.huachen, at=NOW)
    ticket = submit(cast.huachen, owner)
    ticket_resolve(ticket_id=ticket.pk, body="好了", actor=cast.actor(agent.user), at=minutes(1))
    for minute in (2, 3):  # the agent is the more loaded one now
        other = submit(cast.huachen, owner, at=minutes(minute))
        ticket_take(ticket_id=other.pk, actor=cast.actor(agent.user), at=minutes(minute))
    reply_add(ticket_id=ticket.pk, body="又坏了", actor=owner, at=minutes(4))
    assert fresh(ticket).assignee is None
    tickets_deal(at=minutes(4))
    assert fresh(ticket).assignee == agent
    ticket_resolve(ticket_id=ticket.pk, body="好了", actor=cast.actor(agent.user), at=minutes(5))
    accept(agent, lead, on=False)
    reply_add(ticket_id=ticket.pk, body="还是坏的", actor=owner, at=minutes(6))
    tickets_deal(at=minutes(6))
    assert fresh(ticket).assignee == colleague


def test_a_transfer_goes_to_the_tier_or_a_higher_one_with_a_note_for_staff(cast, owner, lead):
    accept(cast.card("vip_agent"), lead)
    card = engineer(cast, EngineerTier.EXPERT)
    accept(card, lead)
    subscribe(cast.huachen, PlanCode.LITE, at=NOW)
    ticket = submit(cast.huachen, owner)
    agent = cast.actor(cast.staff["vip_agent"])
    with pytest.raises(ReasonNeeded):
        ticket_transfer(
            ticket_id=ticket.pk,
            target=TransferTarget.ADVANCED,
            reason=" ",
            actor=agent,
            at=minutes(1),
        )
    ticket_transfer(
        ticket_id=ticket.pk,
        target=TransferTarget.ADVANCED,
        reason="内核参数，需工程师排查",
        actor=agent,
        at=minutes(1),
    )
    assert (fresh(ticket).tier, fresh(ticket).assignee) == ("advanced", None)
    assert fresh(ticket).due_at == minutes(10)  # the clock runs on
    tickets_deal(at=minutes(2))
    assert fresh(ticket).assignee == card
    assert TicketNote.objects.get().body == "内核参数，需工程师排查"
    event = ticket.events.get(kind="transferred")
    assert event.details == {"desk": "vip", "tier": "advanced"}
    with pytest.raises(TransferPointless):
        ticket_transfer(
            ticket_id=ticket.pk,
            target=TransferTarget.ADVANCED,
            reason="x",
            actor=agent,
            at=minutes(3),
        )


def test_no_plan_gets_less_than_its_tier(cast, owner, lead):
    accept(engineer(cast, EngineerTier.TECHNICAL), lead)
    subscribe(cast.huachen, at=NOW)
    ticket = submit(cast.huachen, owner)
    ticket_transfer(
        ticket_id=ticket.pk, target=TransferTarget.EXPERT, reason="x", actor=lead, at=minutes(1)
    )
    assert tickets_deal(at=minutes(2)) == 0


def test_handing_back_leads_to_the_desk_that_answers(cast, owner, lead):
    accept(cast.card("vip_agent"), lead)
    subscribe(cast.huachen, at=NOW)
    ticket = submit(cast.huachen, owner)
    for target in (TransferTarget.EXPERT, TransferTarget.DESK):
        ticket_transfer(ticket_id=ticket.pk, target=target, reason="x", actor=lead, at=minutes(1))
    assert (fresh(ticket).tier, fresh(ticket).desk) == ("", "vip")
    assert ticket.events.filter(kind="handed_back").count() == 1
    tickets_deal(at=minutes(2))
    assert fresh(ticket).assignee == cast.card("vip_agent")


def test_the_vip_desk_lends_itself_to_a_standard_customer(cast, owner, lead):
    ticket = submit(cast.yunfan, owner)
    ticket_transfer(
        ticket_id=ticket.pk, target=TransferTarget.VIP, reason="x", actor=lead, at=minutes(1)
    )
    reply_add(ticket_id=ticket.pk, body="补充", actor=owner, at=minutes(2))
    assert fresh(ticket).desk == "vip"  # a customer's word does not send it back
    ticket_transfer(
        ticket_id=ticket.pk, target=TransferTarget.DESK, reason="x", actor=lead, at=minutes(3)
    )
    assert fresh(ticket).desk == "standard"


def test_what_is_closed_goes_nowhere(cast, owner, lead):
    ticket = submit(cast.huachen, owner)
    ticket_confirm(ticket_id=ticket.pk, actor=owner, at=minutes(1))
    with pytest.raises(TicketMoveRefused):
        ticket_transfer(
            ticket_id=ticket.pk, target=TransferTarget.EXPERT, reason="x", actor=lead, at=minutes(2)
        )


def test_only_those_who_work_tickets_take_them_and_not_without_end(cast, lead):
    with pytest.raises(AssigneeUnfit):
        accept(cast.card("finance"), lead)
    for capacity in (0, 51):
        with pytest.raises(CapacityOutOfRange):
            accept(cast.card("vip_agent"), lead, capacity=capacity)
    accept(cast.card("vip_agent"), lead, capacity=50)
    availability_set(
        staff_member_id=cast.card("vip_agent").pk, is_accepting=False, actor=lead, at=NOW
    )
    assert Availability.objects.get().capacity == 50


def test_a_submission_wakes_the_worker(
    cast, owner, lead, run_jobs, django_capture_on_commit_callbacks
):
    accept(cast.card("customer_service"), lead)
    with django_capture_on_commit_callbacks(execute=True):
        ticket = submit(cast.huachen, owner)
    assert "tickets.tickets_deal" in run_jobs()
    assert fresh(ticket).assignee == cast.card("customer_service")
