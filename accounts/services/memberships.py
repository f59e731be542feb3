"""Who belongs to a tenant: invitations, roles, leaving (domain.md §6)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction

from accounts.access import Actor, Identity
from accounts.exceptions import AlreadyMember, InvitationNotUsable, LastOwnerStays, RoleTooHigh
from accounts.models import Invitation, Membership, Tenant, User
from accounts.models.tenants import TenantRole
from accounts.services.audit import audit_record

INVITATION_DAYS = 7


def token_digest(token: str) -> str:
    """Return what is kept of an invitation's token."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def invitation_create(
    *, identity: Identity, email: str, role: TenantRole, actor: Actor, at: datetime
) -> tuple[Invitation, str]:
    """Invite an address; an open invitation of the same address is replaced. Return it with its secret token.

    Raises RoleTooHigh when someone other than an owner invites an owner, AlreadyMember for one of the people.
    """
    tenant_id = _tenant_of(identity)
    _may_give(identity, role)
    _lock_tenant(tenant_id)
    email = email.strip().lower()
    if Membership.objects.filter(tenant_id=tenant_id, user__email=email, is_active=True).exists():
        raise AlreadyMember(field="email")
    Invitation.objects.filter(
        tenant_id=tenant_id, email=email, accepted_at=None, revoked_at=None
    ).update(revoked_at=at)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        tenant_id=tenant_id,
        email=email,
        role=role,
        token_digest=token_digest(token),
        expires_at=at + timedelta(days=INVITATION_DAYS),
        created_at=at,
        **actor.snapshot(),
    )
    audit_record(
        action="accounts.invite",
        subject=email,
        actor=actor,
        at=at,
        tenant_id=tenant_id,
        details={"role": role},
    )
    return invitation, token


@transaction.atomic
def invitation_revoke(
    *, identity: Identity, invitation_id: int, actor: Actor, at: datetime
) -> None:
    """Withdraw an open invitation. Raises InvitationNotUsable."""
    tenant_id = _tenant_of(identity)
    changed = Invitation.objects.filter(
        pk=invitation_id, tenant_id=tenant_id, accepted_at=None, revoked_at=None
    ).update(revoked_at=at)
    if not changed:
        raise InvitationNotUsable
    audit_record(
        action="accounts.invitation_revoke",
        subject=str(invitation_id),
        actor=actor,
        at=at,
        tenant_id=tenant_id,
    )


def invitation_find(*, token: str, at: datetime) -> Invitation:
    """Return the open invitation of a token (read as the login role). Raises InvitationNotUsable."""
    invitation = (
        Invitation.objects.select_related("tenant")
        .filter(
            token_digest=token_digest(token), accepted_at=None, revoked_at=None, expires_at__gt=at
        )
        .first()
    )
    if invitation is None:
        raise InvitationNotUsable
    return invitation


@transaction.atomic
def invitation_accept(*, token: str, user: User, at: datetime) -> Membership:
    """Join the tenant with the address that was invited. A second use of the token raises InvitationNotUsable."""
    invitation = invitation_find(token=token, at=at)
    if user.is_staff or user.email.lower() != invitation.email:
        raise InvitationNotUsable
    used = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(
        accepted_at=at
    )
    if not used:
        raise InvitationNotUsable
    membership, created = Membership.objects.get_or_create(
        tenant_id=invitation.tenant_id,
        user=user,
        defaults={"role": invitation.role, "created_at": at},
    )
    if not created:
        membership.role = invitation.role
        membership.is_active = True
        membership.save(update_fields=["role", "is_active"])
    actor = Actor(user=user, name=str(user), tenant_id=invitation.tenant_id)
    audit_record(
        action="accounts.join",
        subject=user.email,
        actor=actor,
        at=at,
        tenant_id=invitation.tenant_id,
    )
    return membership


@transaction.atomic
def membership_change_role(
    *, identity: Identity, membership_id: int, role: TenantRole, actor: Actor, at: datetime
) -> Membership:
    """Give one of the tenant's people another role. Raises RoleTooHigh, LastOwnerStays, Membership.DoesNotExist."""
    tenant_id = _tenant_of(identity)
    _lock_tenant(tenant_id)
    membership = Membership.objects.get(pk=membership_id, tenant_id=tenant_id, is_active=True)
    _may_give(identity, TenantRole(membership.role))
    _may_give(identity, role)
    if role != TenantRole.OWNER:
        _keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    audit_record(
        action="accounts.role_change",
        subject=str(membership.user),
        actor=actor,
        at=at,
        tenant_id=tenant_id,
        details={"role": role},
    )
    return membership


@transaction.atomic
def membership_remove(
    *, identity: Identity, membership_id: int, actor: Actor, at: datetime
) -> None:
    """Take a person out of the tenant; what they did stays theirs. Raises as ``membership_change_role``."""
    tenant_id = _tenant_of(identity)
    _lock_tenant(tenant_id)
    membership = Membership.objects.get(pk=membership_id, tenant_id=tenant_id, is_active=True)
    _may_give(identity, TenantRole(membership.role))
    _keep_an_owner(membership)
    membership.is_active = False
    membership.save(update_fields=["is_active"])
    audit_record(
        action="accounts.remove",
        subject=str(membership.user),
        actor=actor,
        at=at,
        tenant_id=tenant_id,
    )


def _tenant_of(identity: Identity) -> int:
    if identity.tenant_id is None:
        raise PermissionError("an identity without a tenant manages no people")
    return identity.tenant_id


def _may_give(identity: Identity, role: TenantRole) -> None:
    if role == TenantRole.OWNER and not identity.has_tenant_role(TenantRole.OWNER):
        raise RoleTooHigh


def _lock_tenant(tenant_id: int) -> None:
    """Let only one change of a tenant's people happen at a time: two owners must not demote each other at once."""
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)


def _keep_an_owner(leaving: Membership) -> None:
    if leaving.role != TenantRole.OWNER:
        return
    others = Membership.objects.filter(
        tenant_id=leaving.tenant_id, role=TenantRole.OWNER, is_active=True
    )
    if not others.exclude(pk=leaving.pk).exists():
        raise LastOwnerStays
