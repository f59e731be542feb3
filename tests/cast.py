"""One cast of named people for all tests: two customers, an outsider, staff in every role."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from accounts.access import Actor
from accounts.models import Membership, StaffMember, Tenant, User
from accounts.models.tenants import TenantRole
from accounts.models.users import StaffRole
from core.tenancy import scope


@dataclass
class Cast:
    """华辰 is the customer that tests are about, 云帆 another one; each has people in every role."""

    huachen: Tenant
    yunfan: Tenant
    owner: User
    administrator: User
    member: User
    other_owner: User
    outsider: User
    staff: dict[str, User] = field(default_factory=dict)

    def actor(self, user: User) -> Actor:
        """Return the actor of a person of the cast."""
        titles = {self.owner.pk: "所有者", self.administrator.pk: "管理员", self.member.pk: "成员"}
        return Actor(
            user=user, name=user.name, title=titles.get(user.pk, ""), is_staff=user.is_staff
        )

    def card(self, role: str) -> StaffMember:
        """Return the staff card of the person in a role."""
        return StaffMember.objects.get(user=self.staff[role])


def make_cast(at: datetime) -> Cast:
    """Make the people. Passwords are unusable: tests sign in by force, sign-in has tests of its own."""

    def person(email: str, name: str, *, is_staff: bool = False) -> User:
        return User.objects.create_user(email, name=name, is_staff=is_staff)

    huachen = Tenant.objects.create(name="华辰科技", created_at=at)
    yunfan = Tenant.objects.create(name="云帆物流", created_at=at)
    cast = Cast(
        huachen=huachen,
        yunfan=yunfan,
        owner=person("owner@huachen.test", "李明"),
        administrator=person("admin@huachen.test", "王静"),
        member=person("member@huachen.test", "赵磊"),
        other_owner=person("owner@yunfan.test", "王海"),
        outsider=person("nobody@elsewhere.test", "路人"),
    )
    places = (
        (huachen, cast.owner, TenantRole.OWNER),
        (huachen, cast.administrator, TenantRole.ADMINISTRATOR),
        (huachen, cast.member, TenantRole.MEMBER),
        (yunfan, cast.other_owner, TenantRole.OWNER),
    )
    for tenant, user, role in places:
        Membership.objects.create(tenant=tenant, user=user, role=role, created_at=at)
    with scope.staff():
        for role in StaffRole:
            user = person(f"{role.value}@portal.test", str(role.label), is_staff=True)
            StaffMember.objects.create(
                user=user, display_name=str(role.label), title=str(role.label), roles=[role]
            )
            cast.staff[role.value] = user
        for tenant in (huachen, yunfan):
            tenant.account_manager = cast.card(StaffRole.ACCOUNT_MANAGER)
            tenant.save(update_fields=["account_manager"])
    return cast
