"""Linked accounts: proposed, accepted, approved, ended; limits per plan; priority at once (domain.md §5, §6)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from accounts.access import SYSTEM
from accounts.models import Tenant
from core import clock
from core.tenancy import scope
from supportplans import exceptions as errors
from supportplans.models import AccountLink, Figure, Subscription
from supportplans.selectors.coverage import coverage_at
from supportplans.selectors.links import link_room
from supportplans.services import links
from supportplans.services.subscriptions import subscription_end
from supportplans.states import Basis, FigureCode, LinkSide, LinkState, SubscriptionState
from tests.factories.supportplans import make_subscription
from tests.factories.tickets import open_window, submit
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
PAGE, DESK = "/support/links/", "/desk/links/"


class Accounts:
    """华辰 as the principal, others as linked accounts; every step in the scope in which the product takes it."""

    def __init__(self, cast) -> None:
        self.cast, self.manager = cast, cast.actor(cast.staff["account_manager"])

    def propose(self, account: Tenant, *, by: Tenant | None = None, at=None) -> AccountLink:
        principal = by or self.cast.huachen
        with scope.customer(principal.pk):
            return links.link_propose(
                tenant_id=principal.pk,
                account_id=account.public_id,
                name="子公司",
                actor=self.cast.actor(self.cast.owner),
                at=at or clock.now(),
            )

    def carry(self) -> int:
        with scope.staff():
            return links.links_carry(at=clock.now())

    def side(self, account: Tenant, side=LinkSide.LINKED) -> AccountLink:
        with scope.customer(account.pk):
            return AccountLink.objects.filter(side=side).latest("pk")

    def turn(self, act, account: Tenant, side=LinkSide.LINKED) -> AccountLink:
        link = self.side(account, side)
        with scope.customer(account.pk):
            return act(
                link_id=link.pk, actor=self.cast.actor(self.cast.other_owner), at=clock.now()
            )

    def approve(self, link: AccountLink) -> AccountLink:
        with scope.staff():
            return links.link_approve(link_id=link.pk, actor=self.manager, at=clock.now())

    def accepted(self, account: Tenant) -> AccountLink:
        link = self.propose(account)
        self.carry()
        self.turn(links.link_accept, account)
        self.carry()
        return link

    def link(self, account: Tenant) -> AccountLink:
        return self.approve(self.accepted(account))

    def states(self, account: Tenant | None = None) -> tuple[str, str]:
        """Return the state of the latest link on the principal's and on the other side."""
        return (
            self.side(self.cast.huachen, LinkSide.PRINCIPAL).state,
            self.side(account or self.cast.yunfan).state,
        )

    def coverage(self, account: Tenant):
        with scope.customer(account.pk):
            return coverage_at(account.pk, clock.now())

    def ticket(self, account: Tenant) -> Ticket:
        with scope.customer(account.pk):
            return submit(account, self.cast.actor(self.cast.other_owner), at=clock.now())

    def more(self, count: int) -> list[Tenant]:
        return [
            Tenant.objects.create(name=f"子公司{number}", created_at=clock.now())
            for number in range(count)
        ]


@pytest.fixture
def accounts(cast):
    make_subscription(cast.huachen, "business")
    return Accounts(cast)


def end_plan(tenant: Tenant, *, to=SubscriptionState.EXPIRED) -> None:
    with scope.staff():
        running = Subscription.objects.select_related("plan").get(
            tenant=tenant, state=SubscriptionState.ACTIVE
        )
        now = clock.now()
        subscription_end(
            running, to=to, kind=str(to), ended_at=now, actor=SYSTEM, at=now + timedelta(seconds=1)
        )


def figure(code: FigureCode, value: str, at) -> None:
    with scope.staff():
        Figure.objects.create(code=code, value=value, effective_from=at)


def test_a_link_runs_once_all_three_agree(accounts, cast):
    link = accounts.propose(cast.yunfan)
    with scope.customer(cast.yunfan.pk):
        assert not AccountLink.objects.exists()

    accounts.carry()
    invitation = accounts.side(cast.yunfan)
    assert (invitation.name, invitation.state) == ("华辰科技", LinkState.PROPOSED)
    accounts.turn(links.link_accept, cast.yunfan)
    assert accounts.coverage(cast.yunfan).principal is None
    accounts.carry()
    assert accounts.side(cast.huachen, LinkSide.PRINCIPAL).name == "云帆物流"
    accounts.approve(link)

    assert accounts.states() == (LinkState.ACTIVE, LinkState.ACTIVE)
    coverage = accounts.coverage(cast.yunfan)
    assert (coverage.restore_priority, coverage.vip_desk, coverage.plan_code) == (
        2,
        True,
        "standard",
    )
    assert coverage.target_minutes == coverage.plan_minutes == {"urgent": 30, "general": 60}


def test_a_link_never_lowers_the_own_priority(accounts, cast):
    make_subscription(cast.yunfan, "enterprise")
    accounts.link(cast.yunfan)
    assert accounts.coverage(cast.yunfan).restore_priority == 1


def test_the_principals_window_is_not_shared(accounts, cast):
    accounts.link(cast.yunfan)
    now = clock.now()
    with scope.staff():
        open_window(cast.huachen, 1, starts=now - timedelta(hours=1), ends=now + timedelta(hours=1))
    coverage = accounts.coverage(cast.yunfan)
    assert (coverage.assurance_level, coverage.restore_priority) == (None, 2)


def test_open_tickets_take_the_principals_place_at_once_and_keep_their_clock(accounts, cast):
    ticket = accounts.ticket(cast.yunfan)
    due = ticket.due_at
    accounts.link(cast.yunfan)
    with scope.staff():
        ticket = Ticket.objects.get(pk=ticket.pk)
    assert (ticket.desk, ticket.restore_priority, ticket.is_linked, ticket.due_at) == (
        "vip",
        2,
        True,
        due,
    )

    accounts.turn(links.link_end, cast.huachen, LinkSide.PRINCIPAL)
    accounts.carry()
    with scope.staff():
        ticket = Ticket.objects.get(pk=ticket.pk)
    assert (ticket.desk, ticket.restore_priority, ticket.is_linked, ticket.due_at) == (
        "standard",
        9,
        False,
        due,
    )


@pytest.mark.parametrize(("plan", "limit"), [("business", 3), ("enterprise", 5)])
def test_the_plan_limits_how_many(cast, plan, limit):
    make_subscription(cast.huachen, plan)
    accounts = Accounts(cast)
    for account in accounts.more(limit):
        accounts.propose(account)
    with pytest.raises(errors.LinkLimitReached):
        accounts.propose(cast.yunfan)


@pytest.mark.parametrize("plan", ["", "lite"])
def test_smaller_plans_have_none(cast, plan):
    if plan:
        make_subscription(cast.huachen, plan)
    with pytest.raises(errors.LinkNotOffered):
        Accounts(cast).propose(cast.yunfan)


def test_a_trial_has_none(cast):
    make_subscription(cast.huachen, "business")
    with scope.staff():
        Subscription.objects.update(basis=Basis.TRIAL)
    with pytest.raises(errors.LinkNotOffered):
        Accounts(cast).propose(cast.yunfan)


def test_proposing_again_returns_the_open_one(accounts, cast):
    assert accounts.propose(cast.yunfan).pk == accounts.propose(cast.yunfan).pk


def test_an_account_cannot_be_linked_to_itself(accounts, cast):
    with pytest.raises(errors.LinkToItself):
        accounts.propose(cast.huachen)


def test_an_unknown_account_looks_like_any_other_and_lapses(accounts, cast):
    with scope.customer(cast.huachen.pk):
        link = links.link_propose(
            tenant_id=cast.huachen.pk,
            account_id=uuid.uuid4(),
            name="谁",
            actor=cast.actor(cast.owner),
            at=clock.now(),
        )
    accounts.carry()
    assert link.state == LinkState.PROPOSED
    with pytest.raises(errors.LinkMoveRefused):
        accounts.approve(link)

    with scope.staff():
        assert links.links_end_due(at=link.created_at + timedelta(days=14, seconds=-1)) == 0
        assert links.links_end_due(at=link.created_at + timedelta(days=14)) == 1
    assert accounts.side(cast.huachen, LinkSide.PRINCIPAL).state == LinkState.LAPSED


def test_one_account_has_one_principal(accounts, cast):
    other = accounts.more(1)[0]
    make_subscription(other, "enterprise")
    accounts.link(cast.yunfan)
    accounts.propose(cast.yunfan, by=other)
    accounts.carry()
    with pytest.raises(errors.LinkHasPrincipal):
        accounts.turn(links.link_accept, cast.yunfan)
    assert accounts.coverage(cast.yunfan).restore_priority == 2


@pytest.mark.parametrize(
    ("act", "by_principal", "state"),
    [("link_refuse", False, LinkState.REFUSED), ("link_withdraw", True, LinkState.WITHDRAWN)],
)
def test_either_side_stops_it_before_it_is_approved(accounts, cast, act, by_principal, state):
    link = accounts.accepted(cast.yunfan)
    if by_principal:
        accounts.turn(getattr(links, act), cast.huachen, LinkSide.PRINCIPAL)
    else:
        accounts.turn(getattr(links, act), cast.yunfan)
    with pytest.raises(errors.LinkMoveRefused):
        accounts.approve(link)
    accounts.carry()
    assert accounts.states() == (state, state)
    with scope.customer(cast.huachen.pk):
        assert link_room(cast.huachen.pk, clock.now()).left == 3


def test_withdrawn_and_accepted_at_the_same_time_is_withdrawn(accounts, cast):
    accounts.propose(cast.yunfan)
    accounts.carry()
    accounts.turn(links.link_accept, cast.yunfan)
    accounts.turn(links.link_withdraw, cast.huachen, LinkSide.PRINCIPAL)
    accounts.carry()
    assert accounts.states() == (LinkState.WITHDRAWN, LinkState.WITHDRAWN)


@pytest.mark.parametrize("side", [LinkSide.PRINCIPAL, LinkSide.LINKED])
def test_either_side_ends_it(accounts, cast, side):
    accounts.link(cast.yunfan)
    owner = cast.huachen if side == LinkSide.PRINCIPAL else cast.yunfan
    accounts.turn(links.link_end, owner, side)
    assert accounts.carry() == 1
    assert accounts.carry() == 0
    assert accounts.states() == (LinkState.ENDED, LinkState.ENDED)
    assert accounts.coverage(cast.yunfan).restore_priority == 9


def test_a_rejection_says_why_to_both(accounts, cast):
    link = accounts.accepted(cast.yunfan)
    with scope.staff(), pytest.raises(errors.AnswerMissing):
        links.link_reject(link_id=link.pk, answer=" ", actor=accounts.manager, at=clock.now())
    with scope.staff():
        links.link_reject(
            link_id=link.pk, answer="非同一集团", actor=accounts.manager, at=clock.now()
        )
    assert accounts.states() == (LinkState.REJECTED, LinkState.REJECTED)
    assert accounts.side(cast.yunfan).answer == "非同一集团"


def test_after_a_downgrade_the_latest_links_end(cast):
    make_subscription(cast.huachen, "enterprise")
    accounts = Accounts(cast)
    others = accounts.more(5)
    for account in others:
        accounts.link(account)
    with scope.staff():
        links.links_follow_plan(tenant_id=cast.huachen.pk, plan_code="business", at=clock.now())

    priorities = [accounts.coverage(account).restore_priority for account in others]
    assert priorities == [2, 2, 2, 9, 9]


@pytest.mark.parametrize("to", [SubscriptionState.EXPIRED, SubscriptionState.CANCELLED])
def test_on_leaving_and_expiry_all_end(accounts, cast, to):
    accounts.link(cast.yunfan)
    waiting = accounts.more(1)[0]
    accounts.propose(waiting)
    accounts.carry()

    end_plan(cast.huachen, to=to)

    assert accounts.coverage(cast.yunfan).restore_priority == 9
    assert accounts.side(cast.yunfan).end_reason == "plan"
    assert accounts.side(waiting).state == LinkState.LAPSED


def test_what_was_ended_but_not_yet_carried_does_not_keep_its_place(accounts, cast):
    ticket = accounts.ticket(cast.yunfan)
    accounts.link(cast.yunfan)
    accounts.turn(links.link_end, cast.yunfan)
    end_plan(cast.huachen)
    with scope.staff():
        assert Ticket.objects.get(pk=ticket.pk).restore_priority == 9


def test_nothing_new_is_taken_once_applications_are_closed(accounts, cast):
    accounts.link(cast.yunfan)
    figure(FigureCode.LINK_APPLICATIONS, "0", clock.now())
    with pytest.raises(errors.LinkApplicationsClosed):
        accounts.propose(accounts.more(1)[0])
    assert accounts.coverage(cast.yunfan).restore_priority == 2


def test_the_offer_ends_for_all(accounts, cast):
    accounts.link(cast.yunfan)
    ends = clock.now() + timedelta(days=30)
    figure(FigureCode.LINK_OFFER, "0", ends)
    with scope.staff():
        assert links.links_end_due(at=ends - timedelta(seconds=1)) == 0
        assert links.links_end_due(at=ends) == 1
        assert links.links_end_due(at=ends) == 0
    assert accounts.states() == (LinkState.ENDED, LinkState.ENDED)


# Pages


def test_both_sides_and_the_manager_do_it_in_the_browser(
    accounts, cast, client_for, run_jobs, django_capture_on_commit_callbacks
):
    principal, linked = client_for(cast.owner), client_for(cast.other_owner)
    with django_capture_on_commit_callbacks(execute=True):
        sent = principal.post(PAGE, {"account_id": str(cast.yunfan.public_id), "name": "云帆"})
    assert (sent.status_code, sent.url) == (302, PAGE)
    run_jobs()
    invitation = accounts.side(cast.yunfan)
    assert "华辰科技" in linked.get(PAGE).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        linked.post(f"{PAGE}{invitation.pk}/accept/")
    run_jobs()
    desk = client_for(cast.staff["account_manager"])
    own = accounts.side(cast.huachen, LinkSide.PRINCIPAL)
    assert "云帆物流" in desk.get(DESK).content.decode()
    assert desk.post(f"{DESK}{own.pk}/grant/").status_code == 302
    assert accounts.states() == (LinkState.ACTIVE, LinkState.ACTIVE)
    assert "云帆物流" in desk.get(f"{DESK}?view=running").content.decode()


def test_what_was_typed_stays_when_it_is_refused(accounts, cast, client_for):
    answer = client_for(cast.owner).post(PAGE, {"account_id": "123", "name": "云帆分公司"})
    assert answer.status_code == 422
    assert "云帆分公司" in answer.content.decode()


def test_members_read_and_do_not_act(accounts, cast, client_for):
    member = client_for(cast.member)
    assert member.get(PAGE).status_code == 200
    assert member.post(PAGE, {"account_id": str(uuid.uuid4()), "name": "x"}).status_code == 403


def test_the_other_accounts_side_cannot_be_touched(accounts, cast, client_for):
    accounts.link(cast.yunfan)
    foreign = accounts.side(cast.yunfan)
    assert client_for(cast.owner).post(f"{PAGE}{foreign.pk}/end/").status_code == 404
    assert accounts.side(cast.yunfan).state == LinkState.ACTIVE


# API


def test_the_api_does_what_the_page_does(accounts, cast, client_for):
    client, api = client_for(cast.owner), "/api/v1/plan/links/"
    proposed = client.post(api, {"account_id": str(cast.yunfan.public_id), "name": "云帆"})
    assert (proposed.status_code, proposed.json()["state"]) == (201, "proposed")
    accounts.carry()
    there = client_for(cast.other_owner)
    (invitation,) = there.get(api).json()["links"]
    assert there.post(f"{api}{invitation['id']}/accept/").json()["state"] == "accepted"
    assert client.get(api).json()["left"] == 2
    assert client.post(f"{api}{invitation['id']}/end/").status_code == 404
    assert there.post(f"{api}{invitation['id']}/end/").status_code == 409
    assert client_for(cast.member).post(api, {}).status_code == 403
