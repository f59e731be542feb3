"""Tags, severity, incidents, scope, requirements, many at once, and taking back (domain.md §5; screens.md)."""

from datetime import date

import pytest

from messaging.models import Message
from supportplans.states import PlanCode, Severity
from tests.factories.tickets import NOW, minutes, submit, subscribe
from tickets.desk_states import RequirementStage
from tickets.exceptions import (
    IncidentOver,
    NothingToUndo,
    OpenClocksUnconfirmed,
    ReasonNeeded,
    ReplyNeeded,
    RequirementMoveRefused,
    TagUnknown,
    TicketMoveRefused,
    TooManyTickets,
)
from tickets.models import (
    IncidentTicket,
    RequirementStep,
    ScopeItem,
    Tag,
    Ticket,
    TicketNote,
    TicketTag,
)
from tickets.services import bulk
from tickets.services.assignment import ticket_assign, ticket_take
from tickets.services.incidents import incident_end, incident_open, ticket_incident_set
from tickets.services.links import link_add
from tickets.services.replies import reply_add
from tickets.services.requirements import requirement_move
from tickets.services.scope_limits import ticket_close_out_of_scope
from tickets.services.severities import severity_set
from tickets.services.tags import ticket_tags_set
from tickets.services.tickets import ticket_confirm
from tickets.services.undo import changes_undo
from tickets.states import TicketKind
from tickets.wording import event_sentence

pytestmark = pytest.mark.usefixtures("as_staff")


@pytest.fixture
def owner(cast):
    return cast.actor(cast.owner)


@pytest.fixture
def agent(cast):
    return cast.actor(cast.staff["vip_agent"])


@pytest.fixture
def lead(cast):
    return cast.actor(cast.staff["team_lead"])


@pytest.fixture
def tags():
    return list(Tag.objects.all()[:3])


@pytest.fixture
def ticket(cast, owner):
    subscribe(cast.huachen, PlanCode.ENTERPRISE, at=NOW)
    return submit(cast.huachen, owner)


def fresh(ticket):
    return Ticket.objects.get(pk=ticket.pk)


def tags_of(ticket):
    return sorted(TicketTag.objects.filter(ticket=ticket).values_list("tag_id", flat=True))


class TestTags:
    def test_exactly_these_and_no_line_in_the_customers_timeline(self, ticket, agent, tags):
        lines = ticket.events.count()
        ids = [tag.pk for tag in tags]
        ticket_tags_set(ticket_id=ticket.pk, tag_ids=ids[:2], actor=agent, at=minutes(1))
        ticket_tags_set(ticket_id=ticket.pk, tag_ids=ids[1:], actor=agent, at=minutes(2))
        assert tags_of(ticket) == sorted(ids[1:])
        assert ticket.events.count() == lines

    def test_a_tag_that_is_not_offered_any_more_may_stay_but_not_come(self, ticket, agent, tags):
        old, new = tags[0], tags[1]
        ticket_tags_set(ticket_id=ticket.pk, tag_ids=[old.pk], actor=agent, at=minutes(1))
        Tag.objects.filter(pk__in=[old.pk, new.pk]).update(is_active=False)
        with pytest.raises(TagUnknown):
            ticket_tags_set(
                ticket_id=ticket.pk, tag_ids=[old.pk, new.pk], actor=agent, at=minutes(2)
            )
        ticket_tags_set(
            ticket_id=ticket.pk, tag_ids=[old.pk, tags[2].pk], actor=agent, at=minutes(2)
        )
        assert tags_of(ticket) == sorted([old.pk, tags[2].pk])


class TestSeverity:
    def test_lowering_extends_no_running_clock_and_counts_for_the_next(self, ticket, agent, owner):
        severity_set(
            ticket_id=ticket.pk,
            severity=Severity.GENERAL,
            reason="仅影响测试环境",
            actor=agent,
            at=minutes(2),
        )
        lowered = fresh(ticket)
        assert (lowered.severity, lowered.due_at) == ("general", minutes(10))
        assert lowered.queue_rank == 911
        assert ticket.clocks.get().due_at == minutes(10)
        assert TicketNote.objects.get().body == "仅影响测试环境"
        sentence = event_sentence(ticket.events.get(kind="severity_lowered"))
        assert sentence == "VIP 专席 将级别调整为一般，已在计时的时限不变"
        reply_add(ticket_id=ticket.pk, body="在查", actor=agent, at=minutes(3))
        reply_add(ticket_id=ticket.pk, body="好的", actor=owner, at=minutes(4))
        assert fresh(ticket).due_at == minutes(34)

    def test_raising_shortens_the_clock_as_a_customers_word_does(self, cast, agent, owner):
        subscribe(cast.huachen, at=NOW)
        ticket = submit(cast.huachen, owner, severity=Severity.GENERAL)
        severity_set(
            ticket_id=ticket.pk,
            severity=Severity.URGENT,
            reason="已影响下单",
            actor=agent,
            at=minutes(2),
        )
        assert fresh(ticket).due_at == minutes(10)
        assert ticket.events.filter(kind="retargeted").count() == 1

    def test_what_is_refused(self, ticket, agent):
        for severity, reason, error in [
            (Severity.GENERAL, " ", ReasonNeeded),
            (Severity.URGENT, "x", TicketMoveRefused),
        ]:
            with pytest.raises(error):
                severity_set(
                    ticket_id=ticket.pk, severity=severity, reason=reason, actor=agent, at=NOW
                )


class TestIncidents:
    def test_it_collects_tickets_of_many_customers_until_it_is_over(
        self, cast, ticket, agent, owner
    ):
        incident = incident_open(title="华东1 网络抖动", product_line=None, actor=agent, at=NOW)
        other = submit(cast.yunfan, cast.actor(cast.other_owner))
        for row in (ticket, other):
            ticket_incident_set(
                ticket_id=row.pk, incident_id=incident.pk, actor=agent, at=minutes(1)
            )
        tenants = IncidentTicket.objects.values_list("tenant", flat=True)
        assert set(tenants) == {cast.huachen.pk, cast.yunfan.pk}
        incident_end(incident_id=incident.pk, actor=agent, at=minutes(5))
        late = submit(cast.huachen, owner, at=minutes(6))
        with pytest.raises(IncidentOver):
            ticket_incident_set(
                ticket_id=late.pk, incident_id=incident.pk, actor=agent, at=minutes(6)
            )
        with pytest.raises(IncidentOver):
            incident_end(incident_id=incident.pk, actor=agent, at=minutes(6))
        ticket_incident_set(ticket_id=ticket.pk, incident_id=None, actor=agent, at=minutes(7))
        assert IncidentTicket.objects.get().ticket == other
        assert "incident" not in {row.kind for row in ticket.events.all()}


class TestScope:
    def test_the_standard_explanation_is_the_answer_and_the_end(self, ticket, agent, owner):
        item = ScopeItem.objects.get(code="third_party_software")
        closed = ticket_close_out_of_scope(
            ticket_id=ticket.pk, scope_item_id=item.pk, actor=agent, at=minutes(3)
        )
        assert (closed.state, closed.due_at, closed.closed_at) == ("closed", None, minutes(3))
        assert (ticket.clocks.get().outcome, closed.first_response_at) == ("answered", minutes(3))
        body = ticket.messages.get(is_staff=True).body
        assert "软件提供商" in body
        assert "应用商城-云市场" in body
        assert item.name in event_sentence(ticket.events.get(kind="out_of_scope"))
        again = reply_add_after_close(ticket, owner)
        assert (again.state, again.due_at) == ("processing", minutes(70))

    def test_all_four_items_of_the_guide_are_data_with_both_pointers(self):
        items = ScopeItem.objects.all()
        assert len(items) == 4
        assert all("应用商城-云市场" in item.reply and "7 天内" in item.reply for item in items)
        assert all("应用商城-云市场" in item.reply_en for item in items)

    def test_the_customers_language_is_kept(self, cast, ticket, agent):
        cast.owner.language = "en"
        cast.owner.save(update_fields=["language"])
        item = ScopeItem.objects.first()
        ticket_close_out_of_scope(
            ticket_id=ticket.pk, scope_item_id=item.pk, actor=agent, at=minutes(3)
        )
        assert ticket.messages.get(is_staff=True).body.startswith("Hello")

    def test_not_twice(self, ticket, agent, owner):
        ticket_confirm(ticket_id=ticket.pk, actor=owner, at=minutes(1))
        with pytest.raises(TicketMoveRefused):
            ticket_close_out_of_scope(
                ticket_id=ticket.pk,
                scope_item_id=ScopeItem.objects.first().pk,
                actor=agent,
                at=minutes(2),
            )


def reply_add_after_close(ticket, owner):
    from tickets.services.replies import ticket_reopen

    return ticket_reopen(ticket_id=ticket.pk, body="是你们的产品", actor=owner, at=minutes(60))


class TestRequirements:
    @pytest.fixture
    def wish(self, cast, owner):
        return submit(cast.huachen, owner, kind=TicketKind.REQUIREMENT)

    def move(self, wish, stage, agent, minute=1, **more):
        return requirement_move(
            ticket_id=wish.pk, stage=stage, actor=agent, at=minutes(minute), **more
        )

    def test_it_begins_collected_and_goes_step_by_step(self, wish, agent, owner):
        assert RequirementStep.objects.get().stage == "collected"
        with pytest.raises(RequirementMoveRefused):
            self.move(wish, RequirementStage.PLANNED, agent)
        self.move(wish, RequirementStage.ASSESSED, agent)
        day = date(2027, 3, 31)
        step = self.move(wish, RequirementStage.PLANNED, agent, planned_for=day)
        assert step.planned_for == day
        ticket_confirm(ticket_id=wish.pk, actor=owner, at=minutes(2))
        self.move(wish, RequirementStage.DONE, agent, 90)  # long after the conversation
        assert (
            event_sentence(wish.events.order_by("-id").first()) == "VIP 专席 更新需求进展：已实现"
        )
        told = Message.objects.filter(kind="tickets.requirement_moved")
        assert [row.context["stage"] for row in told.order_by("id")] == [
            "assessed",
            "planned",
            "done",
        ]
        with pytest.raises(RequirementMoveRefused):
            self.move(wish, RequirementStage.DECLINED, agent, 91, comment="x")

    def test_declining_says_why(self, wish, agent):
        with pytest.raises(ReasonNeeded):
            self.move(wish, RequirementStage.DECLINED, agent)
        self.move(wish, RequirementStage.DECLINED, agent, comment="与现有能力重复")
        self.move(wish, RequirementStage.ASSESSED, agent, 2)

    def test_other_kinds_have_no_track(self, ticket, agent):
        assert not RequirementStep.objects.exists()
        with pytest.raises(RequirementMoveRefused):
            self.move(ticket, RequirementStage.ASSESSED, agent)


class TestManyAtOnce:
    @pytest.fixture
    def three(self, cast, ticket, owner):
        return [ticket, *(submit(cast.huachen, owner, at=minutes(n)) for n in (1, 2))]

    def ids(self, tickets):
        return [ticket.pk for ticket in tickets]

    def test_each_ticket_is_safe_by_itself_and_refusals_are_named(self, cast, three, lead, owner):
        ticket_confirm(ticket_id=three[1].pk, actor=owner, at=minutes(3))
        card = cast.card("vip_agent")
        result = bulk.tickets_assign(
            ticket_ids=self.ids(three), staff_member_id=card.pk, actor=lead, at=minutes(4)
        )
        assert result.done == 2
        assert [row.number for row in result.refused] == [three[1].number]
        assert "状态已变化" in result.refused[0].reason
        assert [fresh(row).assignee for row in three] == [card, None, card]

    def test_tags_and_incident(self, three, lead, tags):
        incident = incident_open(title="抖动", product_line=None, actor=lead, at=NOW)
        bulk.tickets_tag(ticket_ids=self.ids(three), tag_id=tags[0].pk, actor=lead, at=minutes(3))
        bulk.tickets_incident_set(
            ticket_ids=self.ids(three), incident_id=incident.pk, actor=lead, at=minutes(3)
        )
        assert [tags_of(row) for row in three] == [[tags[0].pk]] * 3
        assert incident.ticket_rows.count() == 3

    def test_no_more_than_a_hundred(self, lead):
        with pytest.raises(TooManyTickets):
            bulk.tickets_tag(ticket_ids=range(101), tag_id=1, actor=lead, at=NOW)

    def test_open_clocks_are_confirmed_by_their_number(self, three, lead):
        reply_add(ticket_id=three[0].pk, body="好了", actor=lead, at=minutes(3))

        def resolve(body="已恢复", confirmed=None):
            return bulk.tickets_resolve(
                ticket_ids=self.ids(three),
                body=body,
                confirmed_clocks=confirmed,
                actor=lead,
                at=minutes(4),
            )

        with pytest.raises(ReplyNeeded):
            resolve(body="", confirmed=2)
        for confirmed in (None, 1, 3):
            with pytest.raises(OpenClocksUnconfirmed, match="2 张工单"):
                resolve(confirmed=confirmed)
        assert {fresh(row).state for row in three} == {"new", "processing"}
        assert resolve(confirmed=2).done == 3
        assert {fresh(row).state for row in three} == {"resolved"}


class TestTakingBack:
    def undo(self, actor, minute=5):
        return changes_undo(actor=actor, at=minutes(minute))

    def test_an_assignment(self, cast, ticket, agent, lead):
        ticket_take(ticket_id=ticket.pk, actor=agent, at=minutes(1))
        ticket_assign(
            ticket_id=ticket.pk,
            staff_member_id=cast.card("engineer").pk,
            actor=agent,
            at=minutes(2),
        )
        assert self.undo(agent, 3).done == 1
        assert fresh(ticket).assignee == cast.card("vip_agent")
        assert self.undo(agent, 4).done == 1
        assert fresh(ticket).assignee is None
        with pytest.raises(NothingToUndo):
            self.undo(agent)

    def test_tags_severity_link_and_incident(self, cast, ticket, agent, owner, tags):
        other = submit(cast.huachen, owner)
        incident = incident_open(title="抖动", product_line=None, actor=agent, at=NOW)
        ticket_tags_set(ticket_id=ticket.pk, tag_ids=[tags[0].pk], actor=agent, at=minutes(1))
        severity_set(
            ticket_id=ticket.pk,
            severity=Severity.GENERAL,
            reason="x",
            actor=agent,
            at=minutes(1.1),
        )
        link_add(ticket_id=ticket.pk, other_id=other.pk, actor=agent, at=minutes(1.2))
        ticket_incident_set(
            ticket_id=ticket.pk, incident_id=incident.pk, actor=agent, at=minutes(1.3)
        )
        assert [self.undo(agent, 2 + n / 10).kind for n in range(4)] == [
            "incident",
            "link",
            "severity",
            "tag",
        ]
        assert (tags_of(ticket), fresh(ticket).severity) == ([], "urgent")
        assert fresh(ticket).due_at == minutes(10)
        assert not incident.ticket_rows.exists()
        assert not ticket.links.exists()
        assert not ticket.linked_from.exists()

    def test_many_go_back_together_and_what_changed_since_is_named(
        self, cast, ticket, agent, lead, owner, tags
    ):
        other = submit(cast.huachen, owner)
        both = [ticket.pk, other.pk]
        bulk.tickets_tag(ticket_ids=both, tag_id=tags[0].pk, actor=agent, at=minutes(1))
        ticket_tags_set(ticket_id=other.pk, tag_ids=[tags[1].pk], actor=lead, at=minutes(2))
        result = self.undo(agent)
        assert result.done == 1
        assert [row.number for row in result.refused] == [other.number]
        assert (tags_of(ticket), tags_of(other)) == ([], [tags[1].pk])
        with pytest.raises(NothingToUndo):
            self.undo(agent, 6)

    def test_only_ones_own_and_within_minutes(self, ticket, agent, lead, tags):
        ticket_tags_set(ticket_id=ticket.pk, tag_ids=[tags[0].pk], actor=agent, at=NOW)
        with pytest.raises(NothingToUndo):
            self.undo(lead)
        with pytest.raises(NothingToUndo):
            self.undo(agent, 10.1)
        assert self.undo(agent, 10).done == 1
