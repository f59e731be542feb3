"""Who an audience is. Runs in the worker, where staff and tenants can be seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import Membership, StaffMember, Tenant, User
from accounts.models.tenants import TenantRole


class AudienceUnknown(LookupError):
    """An audience that is not of the known forms: a programming error."""


def people_of(audience: Iterable[str], tenant_id: int | None) -> list[User]:
    """Return the active people that ``audience`` names, each once, in the order of their ids.

    Entries: ``user:<id>``, ``tenant:owner``, ``tenant:administrators`` (and owners), ``tenant:members`` (everyone),
    ``tenant:account_manager``, ``tenant:service_manager``, ``staff:<role>``. Raises AudienceUnknown.
    """
    wanted = Q(pk__in=[])
    for entry in audience:
        scope, _, name = entry.partition(":")
        if scope == "user":
            wanted |= Q(pk=int(name))
        elif scope == "staff":
            holders = StaffMember.objects.filter(is_active=True, roles__contains=[name])
            wanted |= Q(pk__in=holders.values("user_id"))
        elif scope == "tenant" and tenant_id is not None:
            wanted |= Q(pk__in=_of_tenant(name, tenant_id))
        else:
            raise AudienceUnknown(entry)
    return list(User.objects.filter(wanted, is_active=True).order_by("pk"))


def _of_tenant(name: str, tenant_id: int) -> QuerySet[Any, Any]:
    members = Membership.objects.filter(tenant_id=tenant_id, is_active=True)
    if name == "owner":
        return members.filter(role=TenantRole.OWNER).values("user_id")
    if name == "administrators":
        return members.filter(role__in=[TenantRole.OWNER, TenantRole.ADMINISTRATOR]).values(
            "user_id"
        )
    if name == "members":
        return members.values("user_id")
    if name in {"account_manager", "service_manager"}:
        managers: QuerySet[Any, Any] = Tenant.objects.filter(pk=tenant_id).values(
            f"{name}__user_id"
        )
        return managers
    raise AudienceUnknown(f"tenant:{name}")
