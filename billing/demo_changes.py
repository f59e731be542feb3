"""Demo data of changes: a customer who bought, came back within seven days, and has the money on the balance."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from accounts.access import Actor
from accounts.models import Tenant, User
from billing.models import Order
from billing.services.ledger import balance_top_up
from billing.services.orders import order_set_funds
from billing.services.placing import order_create, order_create_unsubscription
from billing.services.provisioning import order_provision
from billing.states import OrderType, UnsubscribeReason
from core.tenancy import scope
from supportplans.selectors.catalogue import agreement_at

CUSTOMER, PLAN, PAID = "木棉传媒", "lite", Decimal("6000.00")
BOUGHT_DAYS_AGO, KEPT_DAYS = 96, 2


def load(at: datetime, tenants: dict[str, Tenant], owners: dict[int, User], finance: Actor) -> None:
    """Make it once."""
    tenant = tenants[CUSTOMER]
    owner = owners[tenant.pk]
    actor = Actor(user=owner, name=owner.name, title="所有者", tenant_id=tenant.pk)
    with scope.staff():
        if Order.objects.filter(tenant=tenant, type=OrderType.UNSUBSCRIBE).exists():
            return
        bought = at - timedelta(days=BOUGHT_DAYS_AGO, hours=3)
        balance_top_up(
            tenant_id=tenant.pk,
            amount=PAID,
            note="银行回单 20260820-3317",
            actor=finance,
            at=bought - timedelta(hours=20),
        )
    with scope.customer(tenant.pk):
        order = order_create(
            tenant_id=tenant.pk,
            plan_code=PLAN,
            years=1,
            agreement_version=agreement_at(bought).version,
            shown_amount=PAID,
            idempotency_key="demo-bought",
            actor=actor,
            at=bought,
        )
        order_set_funds(
            order_id=order.pk,
            coupon_grant_id=None,
            voucher_ids=[],
            use_balance=True,
            actor=actor,
            at=bought,
        )
    _fulfil(order, bought)
    left = bought + timedelta(days=KEPT_DAYS)
    with scope.customer(tenant.pk):
        order = order_create_unsubscription(
            tenant_id=tenant.pk,
            reason=UnsubscribeReason.WRONG_CHOICE,
            reason_text="应选择商业级",
            confirmed=True,
            shown_amount=PAID,
            idempotency_key="demo-left",
            to_balance=False,
            actor=actor,
            at=left,
        )
    _fulfil(order, left)


def _fulfil(order: Order, at: datetime) -> None:
    """Do the worker's part."""
    with scope.staff():
        order_provision(order_id=order.pk, at=at + timedelta(seconds=2))
