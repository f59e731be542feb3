"""How often placing, completing and pricing ask the database; pages have budgets of their own."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.models import LedgerAccount, Payment
from billing.providers.base import TradeReport, TradeStatus
from billing.selectors.changes import quote_change_of
from billing.selectors.terms import change_terms
from billing.services.payments import payment_apply
from billing.services.placing import order_create
from billing.services.provisioning import order_provision
from billing.states import AccountKind, OrderState
from core import clock
from core.tenancy import scope
from supportplans.selectors.catalogue import agreement_at
from tests.factories.billing import actor_of, order_for
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db


def test_placing_an_order_takes_six_queries(cast, max_queries):
    at = clock.now()
    version = agreement_at(at).version

    with scope.customer(cast.huachen.pk), max_queries(6):
        order = order_create(
            tenant_id=cast.huachen.pk,
            plan_code="lite",
            years=1,
            agreement_version=version,
            shown_amount=None,
            idempotency_key="once",
            actor=actor_of(cast.owner),
            at=at,
        )

    assert order.state == OrderState.PENDING


def test_the_price_of_a_change_takes_one_query(cast, max_queries):
    life = PlanLife(cast.huachen, cast.owner)
    bought = clock.now().replace(microsecond=0)  # a term starts at a full second
    life.buy("lite", bought)
    at = bought + timedelta(days=10)

    with scope.customer(cast.huachen.pk), max_queries(1):
        quote = quote_change_of(change_terms(cast.huachen.pk, "business", at), at=at)

    # 24,500 × 12 × 355 ÷ 365
    assert quote.charge == Decimal("285945.21")


def test_paying_takes_10_queries_and_completing_nine(cast, gateway, max_queries):
    at = clock.now()
    order = order_for(cast.huachen, cast.owner, at=at)
    with scope.staff():
        LedgerAccount.objects.bulk_create(
            LedgerAccount(tenant=cast.huachen, kind=kind)
            for kind in (AccountKind.LOCAL, AccountKind.SALES)
        )
        payment = Payment.objects.create(
            tenant=cast.huachen,
            order=order,
            provider="local",
            number=order.number,
            amount=order.due,
            expires_at=order.pays_until,
            created_at=at,
        )
    report = TradeReport(
        TradeStatus.PAID,
        merchant=gateway.provider().merchant,
        number=payment.number,
        amount=payment.amount,
        currency=payment.currency,
        trade_no="1",
        paid_at=at,
    )

    with scope.staff(), max_queries(10):
        payment_apply(report, provider_code="local", at=at)
    with scope.staff(), max_queries(9):
        completed = order_provision(order_id=order.pk, at=at)

    assert completed.state == OrderState.COMPLETED
