"""Row locks of this app, in the portal's lock order: tenant → subscription → …"""

from __future__ import annotations

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Tenant
from core.models import TenantOwned
from core.rows import select_rows
from supportplans.models import AccountLink, Subscription, TrialApplication


def lock_tenant(tenant_id: int) -> None:
    """Lock the tenant's row against writers of the same tenant; foreign keys to it stay free.

    Raises Tenant.DoesNotExist.
    """
    if _lock_tenant("%s", tenant_id) is None:
        raise Tenant.DoesNotExist


def lock_tenant_of(model: type[TenantOwned], **columns: int | str) -> int:
    """Lock the tenant of a row that is locked after it, found by its ``columns``, and return the tenant's id.

    Raises the model's DoesNotExist.
    """
    found_by = " AND ".join(f"{name} = %s" for name in columns)
    # The names are the models', the values are parameters.
    owner = f'(SELECT tenant_id FROM "{model._meta.db_table}" WHERE {found_by})'  # noqa: S608
    tenant_id = _lock_tenant(owner, *columns.values())
    if tenant_id is None:
        raise model.DoesNotExist
    return tenant_id


def _lock_tenant(found: str, *values: int | str) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM accounts_tenant WHERE id = {found} FOR NO KEY UPDATE",  # noqa: S608  (as above)
            values,
        )
        row = cursor.fetchone()
    return row and int(row[0])


def lock_subscriptions() -> QuerySet[Subscription]:
    """Return subscriptions that are locked when read, in the order of their ids."""
    return Subscription.objects.select_for_update(of=("self",)).order_by("pk")


def lock_subscriptions_of(tenant_id: int) -> list[Subscription]:
    """Return all subscriptions of a tenant, locked, in the order of their ids."""
    return select_rows(
        Subscription,
        "SELECT * FROM supportplans_subscription WHERE tenant_id = %s ORDER BY id FOR UPDATE",
        [tenant_id],
    )


def lock_trial_applications() -> QuerySet[TrialApplication]:
    """Return applications that are locked when read, in the order of their ids."""
    return TrialApplication.objects.select_for_update(of=("self",)).order_by("pk")


def lock_links() -> QuerySet[AccountLink]:
    """Return links of accounts that are locked when read, in the order of their ids, after their tenants."""
    return AccountLink.objects.select_for_update(of=("self",)).order_by("pk")
