"""Plans that customers of the cast have."""

from __future__ import annotations

from accounts.access import SYSTEM
from accounts.models import Tenant
from core import clock
from core.tenancy import scope
from supportplans.models import Subscription
from supportplans.services.subscriptions import subscription_start
from supportplans.states import Basis, PlanCode


def make_subscription(tenant: Tenant, plan: str = PlanCode.ENTERPRISE) -> Subscription:
    """Give ``tenant`` a paid plan for one year from now."""
    now = clock.now()
    with scope.staff():
        return subscription_start(
            tenant_id=tenant.pk,
            plan_code=plan,
            basis=Basis.PAID,
            starts=now,
            ends=clock.add_years(now, 1),
            lines=[],
            actor=SYSTEM,
            at=now,
        )
