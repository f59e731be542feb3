"""Who is asking, and what they may do. Strangers get 404, colleagues without the role 403."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView
from typing_extensions import override

from accounts.models import Membership, StaffMember, Tenant, User
from accounts.models.tenants import TenantRole
from accounts.models.users import StaffRole
from accounts.navigation import (
    PORTAL_NAVIGATION,
    NavigationGroup,
    NavigationItem,
    navigation_for,
)
from core.htmx import to_sign_in

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponseBase]


@dataclass(frozen=True)
class Identity:
    """The person behind a request: a visitor, one of staff, or a customer in one of their tenants."""

    user: User | None = None
    staff: StaffMember | None = None
    membership: Membership | None = None
    memberships: tuple[Membership, ...] = field(default=())

    @property
    def is_staff(self) -> bool:
        """Return True for people of the provider."""
        return self.staff is not None

    @property
    def is_customer(self) -> bool:
        """Return True for a person with an active tenant."""
        return self.membership is not None

    @property
    def tenant(self) -> Tenant | None:
        """Return the active tenant of a customer."""
        return self.membership.tenant if self.membership else None

    @property
    def tenant_id(self) -> int | None:
        """Return the id of the active tenant of a customer."""
        return self.membership.tenant_id if self.membership else None

    @property
    def title(self) -> str:
        """Return what the person is, as history shows it."""
        if self.staff:
            return self.staff.title or (
                str(StaffRole(self.staff.roles[0]).label) if self.staff.roles else ""
            )
        return str(TenantRole(self.membership.role).label) if self.membership else ""

    @property
    def staff_navigation(self) -> list[NavigationItem]:
        """Return the links of the desks' top navigation."""
        return navigation_for(set(self.staff.roles)) if self.staff else []

    @property
    def portal_navigation(self) -> tuple[NavigationGroup, ...]:
        """Return the groups of the customers' side navigation."""
        return PORTAL_NAVIGATION

    def has_staff_role(self, *roles: StaffRole) -> bool:
        """Return True for staff with one of ``roles``. Operators may do everything."""
        if self.staff is None:
            return False
        held = set(self.staff.roles)
        return StaffRole.OPERATOR in held or not roles or bool(held & set(roles))

    def has_tenant_role(self, least: TenantRole) -> bool:
        """Return True for a customer whose role is ``least`` or higher."""
        return self.membership is not None and TenantRole(self.membership.role).rank >= least.rank


@dataclass(frozen=True)
class Actor:
    """Who does something, handed to services: the account and the snapshot that history keeps. No
    user is the system. ``card`` is what a request has read of one of staff already.
    """

    user: User | None = None
    name: str = ""
    title: str = ""
    is_staff: bool = False
    tenant_id: int | None = None
    address: str | None = None
    card: StaffMember | None = None

    def snapshot(self) -> dict[str, Any]:
        """Return the fields of ``core.models.Attributed``."""
        return {"actor": self.user, "actor_name": self.name, "actor_title": self.title}

    def staff_member(self) -> StaffMember:
        """Return the card of one of staff. Raises StaffMember.DoesNotExist for others."""
        return self.card or StaffMember.objects.get(user=self.user)


SYSTEM = Actor(name="系统")


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor of a request. The caller's decorator has made sure that someone is signed in."""
    identity = identity_of(request)
    user = identity.user
    name = identity.staff.display_name if identity.staff else str(user)
    return Actor(
        user=user,
        name=name,
        title=identity.title,
        is_staff=identity.is_staff,
        tenant_id=identity.tenant_id,
        address=request.META.get("REMOTE_ADDR"),
        card=identity.staff,
    )


def identity_of(request: HttpRequest | Request) -> Identity:
    """Return who is asking."""
    return cast("Identity", request.portal)  # type: ignore[union-attr]


def customer_view(least: TenantRole = TenantRole.MEMBER) -> Callable[[View[Rest]], View[Rest]]:
    """Let in customers with the role ``least`` or higher; visitors are sent to sign in."""

    def decorate(view: View[Rest]) -> View[Rest]:
        @wraps(view)
        def guarded(
            request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs
        ) -> HttpResponseBase:
            identity = identity_of(request)
            if identity.user is None:
                return to_sign_in(request)
            if not identity.is_customer:
                raise Http404
            if not identity.has_tenant_role(least):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast("View[Rest]", guarded)

    return decorate


def staff_view(*roles: StaffRole) -> Callable[[View[Rest]], View[Rest]]:
    """Let in staff with one of ``roles`` (any staff when none is named); customers see no such page."""

    def decorate(view: View[Rest]) -> View[Rest]:
        @wraps(view)
        def guarded(
            request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs
        ) -> HttpResponseBase:
            identity = identity_of(request)
            if identity.user is None:
                return to_sign_in(request)
            if not identity.is_staff:
                raise Http404
            if not identity.has_staff_role(*roles):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast("View[Rest]", guarded)

    return decorate


def person_view(view: View[Rest]) -> View[Rest]:
    """Let in customers and staff alike; visitors are sent to sign in, people without a tenant see no such page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
        identity = identity_of(request)
        if identity.user is None:
            return to_sign_in(request)
        if not (identity.is_customer or identity.is_staff):
            raise Http404
        return view(request, *args, **kwargs)

    return cast("View[Rest]", guarded)


class IsCustomer(BasePermission):
    """API: customers of an active tenant. A view may name ``least_role``."""

    @override
    def has_permission(self, request: Request, view: APIView) -> bool:
        """Raise Http404 for staff; False for a colleague without the role."""
        identity = identity_of(request)
        if identity.user is not None and not identity.is_customer:
            raise Http404
        return identity.has_tenant_role(getattr(view, "least_role", TenantRole.MEMBER))


class IsStaff(BasePermission):
    """API: people of staff. A view may name ``staff_roles``."""

    @override
    def has_permission(self, request: Request, view: APIView) -> bool:
        """Raise Http404 for customers; False for a colleague without the role."""
        identity = identity_of(request)
        if identity.user is not None and not identity.is_staff:
            raise Http404
        return identity.has_staff_role(*getattr(view, "staff_roles", ()))
