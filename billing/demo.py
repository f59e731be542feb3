"""Demo data of billing: the orders behind the plans, others in every state, and a balance. Made once."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from accounts.access import SYSTEM, Actor
from accounts.models import Membership, Tenant, User
from accounts.models.tenants import TenantRole
from accounts.models.users import StaffRole
from billing import demo_changes, demo_finance, demo_wallet
from billing.models import Order, OrderEvent, Payment
from billing.proration import quote_new
from billing.services.history import order_move
from billing.services.ledger import balance_top_up, ledger_post
from billing.services.orders import order_cancel, orders_expire_due
from billing.services.payments import payment_begin
from billing.services.placing import order_create
from billing.states import AccountKind, OrderState, OrderType, PaymentState, PostingKind
from core.numbering import order_number
from core.tenancy import scope
from supportplans.models import PaidLine
from supportplans.selectors.catalogue import agreement_at

TOP_UP = ("华辰科技", Decimal("20000.00"), "银行回单 20261108-8891", 15)
# Customer, level, years, days ago, what became of it.
ORDERS = (
    ("木棉传媒", "business", 1, 40, "cancelled"),
    ("木棉传媒", "lite", 2, 21, "expired"),
    ("启明医疗", "business", 1, 9, "cancelled"),
    ("启明医疗", "enterprise", 1, 0, "paying"),
)
# How long the demo's unfinished orders have been waiting: the cashier's countdown runs.
WAITING = timedelta(hours=2, minutes=17)


def load(at: datetime) -> None:
    """Make what is missing."""
    with scope.staff():
        tenants = {tenant.name: tenant for tenant in Tenant.objects.all()}
        owners = {
            row.tenant_id: row.user
            for row in Membership.objects.filter(role=TenantRole.OWNER).select_related("user")
        }
        known = set(Order.objects.values_list("tenant_id", flat=True).distinct())
        for line in PaidLine.objects.select_related("subscription", "plan", "tenant"):
            if line.tenant_id not in known:
                _order_behind(line, owners[line.tenant_id])
        finance = Actor(
            user=User.objects.filter(staff_member__roles__contains=[StaffRole.FINANCE]).first(),
            name="孙丽",
            title="财务",
            is_staff=True,
        )
        name, amount, note, days = TOP_UP
        if tenants[name].pk not in known:
            balance_top_up(
                tenant_id=tenants[name].pk,
                amount=amount,
                note=note,
                actor=finance,
                at=at - timedelta(days=days),
            )
    demo_changes.load(at, tenants, owners, finance)
    for number, (name, plan, years, days, outcome) in enumerate(ORDERS):
        tenant = tenants[name]
        if tenant.pk not in known:
            placed = at - timedelta(days=days) - WAITING
            _order(
                tenant,
                owners[tenant.pk],
                plan=plan,
                years=years,
                at=placed,
                outcome=outcome,
                key=f"demo-{number}",
            )
    demo_wallet.load(at, tenants, owners, finance)
    demo_finance.load(at, tenants, owners)


def _order(
    tenant: Tenant, owner: User, *, plan: str, years: int, at: datetime, outcome: str, key: str
) -> None:
    """Place an order as its owner did, and let it come to its end."""
    actor = Actor(user=owner, name=owner.name, title="所有者", tenant_id=tenant.pk)
    with scope.customer(tenant.pk):
        order = order_create(
            tenant_id=tenant.pk,
            plan_code=plan,
            years=years,
            agreement_version=agreement_at(at).version,
            shown_amount=None,
            idempotency_key=key,
            actor=actor,
            at=at,
        )
        if outcome == "cancelled":
            order_cancel(order_id=order.pk, actor=actor, at=at + timedelta(minutes=26))
        if outcome == "paying":
            payment_begin(order_id=order.pk, provider_code="local", actor=actor, at=at)
    if outcome == "expired":
        with scope.staff():
            orders_expire_due(at=order.pays_until)


def _order_behind(line: PaidLine, owner: User) -> None:
    """Write the completed order that a paid line of the demo names: its history and its money, paid by transfer."""
    bought = line.bought_at
    years = line.paid_days // 365
    quote = quote_new(plan=line.plan.code, monthly=line.monthly, years=years, at=line.starts)
    actor = Actor(user=owner, name=owner.name, title="所有者")
    order = Order.objects.create(
        tenant_id=line.tenant_id,
        number=line.order_number,
        type=OrderType.NEW,
        plan=line.plan,
        years=years,
        paid_days=line.paid_days,
        monthly=line.monthly,
        amount=line.list_amount,
        explanation=[step.as_json() for step in quote.explanation],
        pays_until=bought + timedelta(hours=23),
        idempotency_key=f"demo-line-{line.pk}",
        created_at=bought - timedelta(minutes=4),
        updated_at=bought,
        **actor.snapshot(),
    )
    OrderEvent.objects.create(
        tenant_id=line.tenant_id,
        order=order,
        to_state=OrderState.PENDING,
        created_at=order.created_at,
        **actor.snapshot(),
    )
    Payment.objects.create(
        tenant_id=line.tenant_id,
        order=order,
        provider=AccountKind.TRANSFER,
        number=order_number(bought),
        trade_no=f"DEMO{line.pk:08d}",
        amount=order.due,
        state=PaymentState.SUCCEEDED,
        expires_at=order.pays_until,
        paid_at=bought,
        created_at=order.created_at,
    )
    ledger_post(
        tenant_id=line.tenant_id,
        kind=PostingKind.CASHIER,
        legs={AccountKind.TRANSFER: -order.due, AccountKind.SALES: order.due},
        order=order,
        actor=SYSTEM,
        at=bought,
    )
    order.paid_at, order.completed_at, order.subscription = bought, bought, line.subscription
    order_move(order, to=OrderState.PAID, actor=SYSTEM, at=bought, also=["paid_at"])
    order_move(order, to=OrderState.PROVISIONING, actor=SYSTEM, at=bought)
    also = ["completed_at", "subscription"]
    order_move(order, to=OrderState.COMPLETED, actor=SYSTEM, at=bought, also=also)
