"""Row locks of this app, in the portal's lock order: tenant → subscription → …"""

from __future__ import annotations

from django.db.models import QuerySet, Subquery

from accounts.models import Tenant
from supportplans.models import AccountLink, Subscription, TrialApplication


def lock_tenant(tenant_id: int | Subquery) -> Tenant:
    """Lock the tenant's row against writers of the same tenant; foreign keys to it stay free.

    A subquery finds the tenant of a row that is locked after it, in the same question.
    """
    return Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)


def lock_subscriptions() -> QuerySet[Subscription]:
    """Return subscriptions that are locked when read, in the order of their ids."""
    return Subscription.objects.select_for_update(of=("self",)).order_by("pk")


def lock_trial_applications() -> QuerySet[TrialApplication]:
    """Return applications that are locked when read, in the order of their ids."""
    return TrialApplication.objects.select_for_update(of=("self",)).order_by("pk")


def lock_links() -> QuerySet[AccountLink]:
    """Return links of accounts that are locked when read, in the order of their ids, after their tenants."""
    return AccountLink.objects.select_for_update(of=("self",)).order_by("pk")
