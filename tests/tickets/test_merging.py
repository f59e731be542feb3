"""Merging, splitting and linking tickets of one customer (domain.md §5)."""

import pytest

from messaging.models import Message
from supportplans.states import PlanCode, Severity
from tests.factories.tickets import NOW, minutes, submit, subscribe
from tickets.exceptions import LinkRefused, MergeRefused, SplitRefused
from tickets.models import Clock, Ticket, TicketLink
from tickets.selectors.clock_proof import clocks_differing
from tickets.selectors.conversations import events_of, thread
from tickets.services.links import link_add, link_remove
from tickets.services.merging import ticket_merge
from tickets.services.replies import note_add, reply_add, ticket_reopen
from tickets.services.splitting import ticket_split
from tickets.services.sweeps import stages_sweep
from tickets.services.tickets import ticket_confirm, ticket_resolve
from tickets.wording import event_sentence

pytestmark = pytest.mark.usefixtures("as_staff")


@pytest.fixture
def owner(cast):
    return cast.actor(cast.owner)


@pytest.fixture
def agent(cast):
    return cast.actor(cast.staff["vip_agent"])


@pytest.fixture(autouse=True)
def plan(cast, as_staff):
    subscribe(cast.huachen, PlanCode.ENTERPRISE, at=NOW)


def fresh(ticket):
    return Ticket.objects.get(pk=ticket.pk)


def bodies(ticket):
    entries = thread(ticket, events_of(ticket), notes=True)
    return [(row.message or row.note).body for row in entries if row.message or row.note]


def running(*tickets):
    return [
        (row.ticket_id, row.kind, row.started_at, row.due_at)
        for row in Clock.objects.filter(ticket__in=tickets, stopped_at=None)
    ]


class TestMerging:
    def test_the_open_clock_moves_along_with_its_own_start(self, cast, owner, agent):
        source = submit(cast.huachen, owner, at=NOW)
        target = submit(cast.huachen, owner, at=minutes(1))
        reply_add(ticket_id=target.pk, body="在查", actor=agent, at=minutes(2))
        ticket_merge(ticket_id=source.pk, into_id=target.pk, actor=agent, at=minutes(3))
        assert running(source, target) == [(target.pk, "first", NOW, minutes(10))]
        assert (fresh(source).state, fresh(source).due_at) == ("closed", None)
        assert fresh(target).due_at == minutes(10)
        assert [row.kind for row in Clock.objects.get(stopped_at=None).events.all()] == [
            "started",
            "moved",
        ]
        reply_add(ticket_id=target.pk, body="好了", actor=agent, at=minutes(4))
        assert running(source, target) == []
        assert Clock.objects.filter(outcome="answered").count() == 2

    @pytest.mark.parametrize(
        ("source_at", "target_at", "due"), [(0, 3, 10), (3, 0, 10)], ids=["older", "younger"]
    )
    def test_of_two_silences_the_one_that_is_due_first_runs_on(
        self, cast, owner, agent, source_at, target_at, due
    ):
        source = submit(cast.huachen, owner, at=minutes(source_at))
        target = submit(cast.huachen, owner, at=minutes(target_at))
        ticket_merge(ticket_id=source.pk, into_id=target.pk, actor=agent, at=minutes(5))
        assert running(source, target) == [(target.pk, "first", NOW, minutes(due))]
        assert Clock.objects.get(outcome="merged").stopped_at == minutes(5)
        reply_add(ticket_id=target.pk, body="好了", actor=agent, at=minutes(6))
        assert Clock.objects.filter(outcome="answered").count() == 1

    def test_a_clock_that_was_late_stays_late(self, cast, owner, agent):
        source = submit(cast.huachen, owner, at=NOW, severity=Severity.GENERAL)
        target = submit(cast.huachen, owner, at=minutes(5))
        ticket_merge(ticket_id=source.pk, into_id=target.pk, actor=agent, at=minutes(40))
        ended = Clock.objects.get(outcome="merged")
        stages_sweep(at=minutes(41))
        assert ended.stopped_at > ended.due_at
        assert [row.percent for row in ended.stages.all()] == [50, 80, 100]

    def test_the_higher_severity_and_the_customers_turn_survive(self, cast, owner, agent):
        source = submit(cast.huachen, owner, at=NOW)
        target = submit(cast.huachen, owner, at=NOW, severity=Severity.GENERAL)
        reply_add(ticket_id=target.pk, body="请补充", actor=agent, at=minutes(1), wait=True)
        ticket_merge(ticket_id=source.pk, into_id=target.pk, actor=agent, at=minutes(2))
        merged = fresh(target)
        assert (merged.severity, merged.state) == ("urgent", "processing")
        assert merged.queue_rank < 910
        assert running(target) == [(target.pk, "first", NOW, minutes(10))]

    def test_everything_said_is_read_in_the_new_one_and_said_to_the_old_one_goes_there(
        self, cast, owner, agent
    ):
        source = submit(cast.huachen, owner, at=NOW, body="第一张")
        target = submit(cast.huachen, owner, at=minutes(1), body="第二张")
        note_add(ticket_id=source.pk, body="旧备注", actor=agent, at=minutes(2))
        ticket_merge(ticket_id=source.pk, into_id=target.pk, actor=agent, at=minutes(3))
        reply_add(ticket_id=source.pk, body="写给旧号", actor=owner, at=minutes(4))
        assert bodies(target) == ["第一张", "第二张", "旧备注", "写给旧号"]
        assert bodies(source) == ["第一张", "旧备注"]
        sentences = [event_sentence(row) for row in events_of(target)]
        assert f"VIP 专席 将工单 {source.number} 合并至本工单" in sentences
        last = [event_sentence(row) for row in events_of(source)][-1]
        assert last == f"VIP 专席 将本工单合并至工单 {target.number}，后续在该工单处理"

    def test_reopening_the_old_number_is_refused_while_the_new_one_is_open(
        self, cast, owner, agent
    ):
        source, target = submit(cast.huachen, owner), submit(cast.huachen, owner)
        ticket_merge(ticket_id=source.pk, into_id=target.pk, actor=agent, at=minutes(1))
        ticket_resolve(ticket_id=target.pk, body="好了", actor=agent, at=minutes(2))
        reopened = ticket_reopen(ticket_id=source.pk, body="没好", actor=owner, at=minutes(3))
        assert (reopened.pk, reopened.state) == (target.pk, "processing")
        assert fresh(source).state == "closed"

    def test_numbers_lead_on_after_a_second_merger(self, cast, owner, agent):
        a, b, c = (submit(cast.huachen, owner, at=minutes(n)) for n in range(3))
        ticket_merge(ticket_id=a.pk, into_id=b.pk, actor=agent, at=minutes(4))
        ticket_merge(ticket_id=b.pk, into_id=c.pk, actor=agent, at=minutes(5))
        assert fresh(a).merged_into == fresh(b).merged_into == c
        assert len(bodies(c)) == 3
        assert running(a, b, c) == [(c.pk, "first", NOW, minutes(10))]

    def test_what_is_refused(self, cast, owner, agent):
        ticket = submit(cast.huachen, owner)
        other = submit(cast.huachen, owner)
        foreign = submit(cast.yunfan, cast.actor(cast.other_owner))
        solved = submit(cast.huachen, owner)
        ticket_resolve(ticket_id=solved.pk, body="好", actor=agent, at=minutes(1))
        closed = submit(cast.huachen, owner)
        ticket_confirm(ticket_id=closed.pk, actor=owner, at=minutes(1))
        merged = submit(cast.huachen, owner)
        ticket_merge(ticket_id=merged.pk, into_id=other.pk, actor=agent, at=minutes(1))
        for source, target in [
            (ticket, ticket),
            (ticket, foreign),
            (ticket, solved),
            (ticket, closed),
            (ticket, merged),
            (closed, ticket),
            (merged, ticket),
        ]:
            with pytest.raises(MergeRefused):
                ticket_merge(ticket_id=source.pk, into_id=target.pk, actor=agent, at=minutes(2))
        assert fresh(ticket).state == "new"
        # What is solved already can be put to where the conversation goes on.
        ticket_merge(ticket_id=solved.pk, into_id=ticket.pk, actor=agent, at=minutes(3))


class TestSplitting:
    def split(self, ticket, agent, at, which=-1):
        message = ticket.messages.filter(is_staff=False).order_by("created_at")[which:][0]
        return ticket_split(
            ticket_id=ticket.pk, message_id=message.pk, title="另一个问题", actor=agent, at=at
        )

    def nth(self, ticket, n):
        return ticket.messages.order_by("created_at", "id")[n]

    def test_a_silence_that_began_before_leaves_both_with_a_clock(self, cast, owner, agent):
        ticket = submit(cast.huachen, owner, at=NOW)
        reply_add(ticket_id=ticket.pk, body="还有一个问题", actor=owner, at=minutes(4))
        other = ticket_split(
            ticket_id=ticket.pk,
            message_id=self.nth(ticket, 1).pk,
            title="另一个问题",
            actor=agent,
            at=minutes(6),
        )
        assert sorted(running(ticket, other)) == [
            (ticket.pk, "first", NOW, minutes(10)),
            (other.pk, "first", minutes(4), minutes(14)),
        ]
        assert (other.title, other.created_at, other.state) == ("另一个问题", minutes(4), "new")
        assert (other.due_at, fresh(ticket).due_at) == (minutes(14), minutes(10))
        assert clocks_differing().differing == {}

    def test_a_silence_that_began_with_it_moves_with_its_clock(self, cast, owner, agent):
        ticket = submit(cast.huachen, owner, at=NOW)
        reply_add(ticket_id=ticket.pk, body="在查", actor=agent, at=minutes(2))
        reply_add(ticket_id=ticket.pk, body="顺便问下备案", actor=owner, at=minutes(5))
        reply_add(ticket_id=ticket.pk, body="比较急", actor=owner, at=minutes(6))
        other = ticket_split(
            ticket_id=ticket.pk,
            message_id=self.nth(ticket, 2).pk,
            title="备案",
            actor=agent,
            at=minutes(7),
        )
        assert running(ticket, other) == [(other.pk, "next", minutes(5), minutes(15))]
        assert fresh(ticket).due_at is None
        assert bodies(other) == ["顺便问下备案", "比较急"]
        assert len(bodies(ticket)) == 4  # what was said stays where it was said
        assert [row.actor for row in other.messages.all()] == [cast.owner] * 2
        link = TicketLink.objects.get()
        assert (link.ticket, link.other, link.kind) == (other, ticket, "split")

    def test_what_was_answered_takes_its_answer_along_and_no_clock(self, cast, owner, agent):
        ticket = submit(cast.huachen, owner, at=NOW)
        reply_add(ticket_id=ticket.pk, body="在查", actor=agent, at=minutes(2))
        reply_add(ticket_id=ticket.pk, body="另问", actor=owner, at=minutes(5))
        reply_add(ticket_id=ticket.pk, body="另答", actor=agent, at=minutes(6))
        other = ticket_split(
            ticket_id=ticket.pk,
            message_id=self.nth(ticket, 2).pk,
            title="",
            actor=agent,
            at=minutes(7),
        )
        assert running(ticket, other) == []
        assert (other.first_response_at, other.state) == (minutes(6), "processing")
        assert other.title == ticket.title

    def test_what_is_refused(self, cast, owner, agent):
        ticket = submit(cast.huachen, owner, at=NOW)
        reply_add(ticket_id=ticket.pk, body="在查", actor=agent, at=minutes(2))
        foreign = submit(cast.yunfan, cast.actor(cast.other_owner))
        for message in (self.nth(ticket, 0), self.nth(ticket, 1), self.nth(foreign, 0)):
            with pytest.raises(SplitRefused):
                ticket_split(
                    ticket_id=ticket.pk,
                    message_id=message.pk,
                    title="x",
                    actor=agent,
                    at=minutes(3),
                )
        assert Ticket.objects.count() == 2


class TestLinking:
    def test_a_link_is_seen_from_both_sides_and_can_go(self, cast, owner, agent):
        a, b = submit(cast.huachen, owner), submit(cast.huachen, owner)
        link_add(ticket_id=a.pk, other_id=b.pk, actor=agent, at=minutes(1))
        link_add(ticket_id=b.pk, other_id=a.pk, actor=agent, at=minutes(1))
        assert TicketLink.objects.get().ticket == b
        assert a.events.get(kind="linked").details["number"] == b.number
        link_remove(ticket_id=a.pk, other_id=b.pk, actor=agent, at=minutes(2))
        assert not TicketLink.objects.exists()
        assert b.events.filter(kind="unlinked").count() == 1
        with pytest.raises(LinkRefused):
            link_remove(ticket_id=a.pk, other_id=b.pk, actor=agent, at=minutes(2))

    def test_not_with_itself_nor_another_customers(self, cast, owner, agent):
        ticket = submit(cast.huachen, owner)
        foreign = submit(cast.yunfan, cast.actor(cast.other_owner))
        for other in (ticket, foreign):
            with pytest.raises(LinkRefused):
                link_add(ticket_id=ticket.pk, other_id=other.pk, actor=agent, at=minutes(1))

    def test_a_follow_up_is_linked_to_what_it_follows(self, cast, owner):
        old = submit(cast.huachen, owner)
        new = submit(cast.huachen, owner, at=minutes(1), follows=old)
        link = TicketLink.objects.get()
        assert (link.ticket, link.other, link.kind) == (new, old, "follow_up")
        assert old.events.get(kind="linked").details["number"] == new.number
        assert Message.objects.filter(kind="tickets.resolved").count() == 0
