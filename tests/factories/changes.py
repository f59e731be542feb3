"""A customer's plan through its changes, by the services that pages and workers call."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.access import Actor
from accounts.models import Tenant, User
from billing.models import Order
from billing.services import placing, provisioning
from billing.services.refunds import refund_approve
from billing.states import RefundState
from core.tenancy import scope
from supportplans.models import Subscription
from supportplans.selectors.catalogue import agreement_at
from supportplans.selectors.subscriptions import subscription_last
from tests.factories.billing import actor_of, give_balance, use_balance

MUCH = "5000000.00"


class PlanLife:
    """One tenant's plan: order, pay from the balance, let the worker fulfil, at instants of the caller's choice."""

    def __init__(self, tenant: Tenant, owner: User, *, balance: str = MUCH) -> None:
        self.tenant, self.owner = tenant, owner
        if Decimal(balance):
            with scope.staff():
                give_balance(tenant, balance)

    def place(self, kind: str, at: datetime, **what: Any) -> Order:
        """Place an order of a kind (``new``, ``change``, ``renewal``, ``unsubscription``) as the owner."""
        create = {
            "new": placing.order_create,
            "change": placing.order_create_change,
            "renewal": placing.order_create_renewal,
            "unsubscription": placing.order_create_unsubscription,
        }[kind]
        values: dict[str, Any] = {
            "tenant_id": self.tenant.pk,
            "shown_amount": None,
            "idempotency_key": str(uuid.uuid4()),
            "actor": actor_of(self.owner),
            "at": at,
        }
        if kind == "unsubscription":
            values |= {"reason": "other", "reason_text": "", "confirmed": True, "to_balance": False}
        else:
            values["agreement_version"] = agreement_at(at).version
        if kind == "change":
            values["to_balance"] = False
        with scope.customer(self.tenant.pk):
            return create(**{**values, **what})

    def pay(self, order: Order, at: datetime) -> Order:
        """Pay an order from the balance, where something is left to pay."""
        if order.is_payable and not order.is_free:
            with scope.customer(self.tenant.pk):
                return use_balance(order, self.owner, at=at)
        return order

    def fulfil(self, order: Order, at: datetime) -> Order:
        """Do the worker's part, and finance's."""
        with scope.staff():
            done = provisioning.order_provision(order_id=order.pk, at=at)
            self._approve_refunds(order, at)
            return done

    def _approve_refunds(self, order: Order, at: datetime) -> None:
        """Do finance's part: large refunds wait for an approval."""
        somebody = User.objects.exclude(pk=self.owner.pk).earliest("pk")
        finance = Actor(user=somebody, name="财务", is_staff=True)
        for refund in order.refunds.filter(state=RefundState.AWAITING_APPROVAL):
            refund_approve(refund_id=refund.pk, actor=finance, at=at)

    def do(self, kind: str, at: datetime, **what: Any) -> Order:
        """Place, pay and fulfil at one instant."""
        order = self.place(kind, at, **what)
        self.pay(order, at)
        return self.fulfil(order, at)

    def buy(self, plan: str, at: datetime, years: int = 1) -> Order:
        """Buy a plan."""
        return self.do("new", at, plan_code=plan, years=years)

    def change(self, plan: str, at: datetime, **what: Any) -> Order:
        """Go up or down."""
        return self.do("change", at, plan_code=plan, **what)

    @property
    def subscription(self) -> Subscription:
        """Return the newest subscription."""
        with scope.staff():
            found = subscription_last(self.tenant.pk)
        assert found is not None
        return found
