"""Demo data of accounts: staff in every role and five customer accounts. Loading it again changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from accounts.demo_people import PASSWORD, STAFF, TENANTS, DemoTenant
from accounts.models import Membership, StaffMember, Tenant, User
from core.tenancy import scope

OPENED_DAYS_AGO = 300


def load(at: datetime) -> None:
    """Make what is missing."""
    password = make_password(PASSWORD)
    with scope.staff():
        for person in STAFF:
            user = _user(person.email, person.name, password, is_staff=True)
            StaffMember.objects.get_or_create(
                user=user,
                defaults={
                    "display_name": person.display_name,
                    "title": person.title,
                    "roles": list(person.roles),
                    "tier": person.tier,
                    "phone": person.phone,
                    "email": person.email,
                },
            )
        cards = {card.user.email: card for card in StaffMember.objects.select_related("user")}
    for number, row in enumerate(TENANTS):
        _tenant(row, password, cards, at - timedelta(days=OPENED_DAYS_AGO - number))


def _tenant(row: DemoTenant, password: str, cards: dict[str, StaffMember], at: datetime) -> None:
    with scope.staff():
        owner_address = f"{row.people[0][0]}@{row.domain}"
        if Membership.objects.filter(user__email=owner_address).exists():
            return
    # As at sign-up, the login role opens the account.
    tenant = Tenant.objects.create(name=row.name, contact_name=row.people[0][1], created_at=at)
    with scope.staff():
        tenant.account_manager = cards[row.account_manager]
        tenant.service_manager = cards.get(row.service_manager)
        tenant.save(update_fields=["account_manager", "service_manager"])
        for local_part, name, role in row.people:
            user = _user(f"{local_part}@{row.domain}", name, password)
            Membership.objects.create(tenant=tenant, user=user, role=role, created_at=at)


def _user(email: str, name: str, password: str, *, is_staff: bool = False) -> User:
    user, created = User.objects.get_or_create(
        email=email, defaults={"name": name, "password": password, "is_staff": is_staff}
    )
    if created:
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user
