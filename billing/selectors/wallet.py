"""Reading what customers own."""

from __future__ import annotations

from decimal import Decimal

from accounts.models import Tenant
from billing.models import LedgerAccount
from billing.states import AccountKind
from core.money import ZERO

TENANTS_SHOWN = 1000


def balance_of(tenant_id: int) -> Decimal:
    """Return what the customer can spend, in CNY; what open orders hold is not in it."""
    account = LedgerAccount.objects.filter(tenant_id=tenant_id, kind=AccountKind.BALANCE).first()
    return account.balance if account else ZERO


def tenant_choices() -> list[tuple[int, str]]:
    """Return the customer accounts as choices of a form, by name."""
    return list(Tenant.objects.order_by("name").values_list("pk", "name")[:TENANTS_SHOWN])
