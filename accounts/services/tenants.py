"""Opening customer accounts."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from accounts.events import TenantCreated
from accounts.models import Membership, Tenant, User
from accounts.models.tenants import TenantRole
from accounts.services.audit import audit_record
from core.events import publish


@transaction.atomic
def tenant_create(*, name: str, owner: User, at: datetime) -> Tenant:
    """Open a customer account with its first owner. Runs as the login role: at sign-up there is no tenant yet."""
    tenant = Tenant.objects.create(name=name, contact_name=owner.name, created_at=at)
    Membership.objects.create(tenant=tenant, user=owner, role=TenantRole.OWNER, created_at=at)
    actor = Actor(
        user=owner, name=owner.name, title=str(TenantRole.OWNER.label), tenant_id=tenant.pk
    )
    audit_record(
        action="accounts.tenant_create", subject=name, actor=actor, at=at, tenant_id=tenant.pk
    )
    publish(TenantCreated(tenant_id=tenant.pk, owner_id=owner.pk, at=at))
    return tenant
