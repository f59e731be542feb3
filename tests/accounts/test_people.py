"""Invitations, roles and leaving (domain.md §6)."""

from datetime import timedelta

import pytest

from accounts.access import Identity
from accounts.exceptions import InvitationNotUsable, LastOwnerStays, RoleTooHigh
from accounts.models import Membership, User
from accounts.models.tenants import TenantRole
from accounts.services import memberships
from core import clock
from core.tenancy import scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(cast):
    """Return the membership of a person of the cast and the identity that acts with it."""

    def find(user) -> Membership:
        return Membership.objects.select_related("tenant", "user").get(user=user)

    return find


def identity(membership) -> Identity:
    return Identity(user=membership.user, membership=membership, memberships=(membership,))


def invite(cast, place, *, email="new@huachen.test", role=TenantRole.MEMBER, at=None):
    with scope.customer(cast.huachen.pk):
        return memberships.invitation_create(
            identity=identity(place(cast.owner)),
            email=email,
            role=role,
            actor=cast.actor(cast.owner),
            at=at or clock.now(),
        )


def test_an_invited_person_joins_once_with_the_invited_address(cast, place):
    _, token = invite(cast, place)
    newcomer = User.objects.create_user("new@huachen.test", name="新人")

    membership = memberships.invitation_accept(token=token, user=newcomer, at=clock.now())

    assert (membership.tenant, membership.role) == (cast.huachen, TenantRole.MEMBER)
    with pytest.raises(InvitationNotUsable):
        memberships.invitation_accept(token=token, user=newcomer, at=clock.now())


@pytest.mark.parametrize("who", ["outsider", "other_owner"])
def test_another_address_cannot_use_the_invitation(cast, place, who):
    _, token = invite(cast, place)

    with pytest.raises(InvitationNotUsable):
        memberships.invitation_accept(token=token, user=getattr(cast, who), at=clock.now())


def test_an_invitation_ends_after_seven_days(cast, place):
    now = clock.now()
    _, token = invite(cast, place, at=now)

    assert memberships.invitation_find(
        token=token, at=now + timedelta(days=7) - timedelta(seconds=1)
    )
    with pytest.raises(InvitationNotUsable):
        memberships.invitation_find(token=token, at=now + timedelta(days=7))


def test_a_second_invitation_of_the_same_address_replaces_the_first(cast, place):
    _, first = invite(cast, place)
    _, second = invite(cast, place)

    with pytest.raises(InvitationNotUsable):
        memberships.invitation_find(token=first, at=clock.now())
    assert memberships.invitation_find(token=second, at=clock.now())


def test_the_last_owner_stays(cast, place):
    me = place(cast.owner)
    with scope.customer(cast.huachen.pk), pytest.raises(LastOwnerStays):
        memberships.membership_remove(
            identity=identity(me), membership_id=me.pk, actor=cast.actor(cast.owner), at=clock.now()
        )


def test_an_administrator_makes_no_owner(cast, place):
    with scope.customer(cast.huachen.pk), pytest.raises(RoleTooHigh):
        memberships.membership_change_role(
            identity=identity(place(cast.administrator)),
            membership_id=place(cast.member).pk,
            role=TenantRole.OWNER,
            actor=cast.actor(cast.administrator),
            at=clock.now(),
        )


@pytest.mark.parametrize(
    ("who", "status"),
    [("owner", 302), ("administrator", 302), ("member", 403), ("other_owner", 404)],
)
def test_who_may_remove_a_member(cast, client_for, place, who, status):
    path = f"/support/people/{place(cast.member).pk}/remove/"

    assert client_for(getattr(cast, who)).post(path).status_code == status
    assert Membership.objects.get(user=cast.member).is_active is (status != 302)


def test_a_person_of_two_tenants_switches_and_never_into_a_foreign_one(cast, client_for):
    Membership.objects.create(tenant=cast.yunfan, user=cast.member, created_at=clock.now())
    client = client_for(cast.member)

    assert client.post(f"/switch/{cast.yunfan.pk}/").status_code == 302
    assert "云帆物流" in client.get("/support/").content.decode()
    assert client_for(cast.owner).post(f"/switch/{cast.yunfan.pk}/").status_code == 404


def test_inviting_through_the_page_sends_a_mail_with_the_link(
    cast, client_for, run_jobs, mailoutbox, django_capture_on_commit_callbacks
):
    client = client_for(cast.owner)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/support/people/", {"email": "new@huachen.test", "role": "member"})
    run_jobs()

    (letter,) = mailoutbox
    assert letter.to == ["new@huachen.test"]
    link = next(word for word in letter.body.split() if "/accounts/invitations/" in word)
    assert "华辰科技" in client.__class__().get(link[link.index("/accounts/") :]).content.decode()
