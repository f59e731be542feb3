"""Coupons and vouchers on orders that change a plan, and what a free return gives back."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.access import SYSTEM
from billing.providers.base import TradeReport, TradeStatus
from billing.services import orders, payments
from billing.states import CouponState, OrderState
from core import clock
from core.tenancy import scope
from supportplans.models import PaidLine
from supportplans.services.changes import subscription_cancel
from tests.factories.billing import actor_of, give_coupon, give_voucher, set_funds
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
START = clock.now().replace(microsecond=0)


@pytest.fixture
def life(cast):
    return PlanLife(cast.huachen, cast.owner)


def pay_with(life, order, at, **chosen):
    with scope.customer(life.tenant.pk):
        return set_funds(order, life.owner, at=at, use_balance=True, **chosen)


def fresh(row):
    with scope.staff():
        return type(row).objects.get(pk=row.pk)


def line_of(order):
    with scope.staff():
        line = PaidLine.objects.get(order_number=order.number)
    return line.coupon_amount, line.voucher_amount, line.cash


def test_a_coupon_lowers_the_charge_of_an_upgrade(cast, life):
    life.do("new", START, plan_code="lite", years=1)
    coupon = give_coupon(
        cast.huachen,
        kind="percent",
        value=Decimal("10"),
        cap=Decimal("20000.00"),
        order_types=("upgrade",),
        plans=("business",),
    )
    voucher = give_voucher(cast.huachen, "4000.00")
    order = life.place("change", START, plan_code="business")

    pay_with(life, order, START, coupon_grant_id=coupon.pk, voucher_ids=[voucher.pk])

    assert life.fulfil(order, START).state == OrderState.COMPLETED
    assert fresh(order).amount == Decimal("294000.00")
    assert line_of(order) == (
        Decimal("20000.00"),
        Decimal("4000.00"),
        {"balance": "270000.00"},
    )


def test_a_voucher_pays_a_renewal(cast, life):
    life.do("new", START, plan_code="lite", years=1)
    voucher = give_voucher(cast.huachen, "7000.00")
    order = life.place("renewal", START, years=1)

    pay_with(life, order, START, voucher_ids=[voucher.pk])

    life.fulfil(order, START)
    assert line_of(order) == (Decimal("0.00"), Decimal("6000.00"), {})
    assert fresh(voucher).balance == Decimal("1000.00")


@pytest.fixture
def bought(cast, life):
    """轻量级 for a year, paid with a coupon, a voucher and the balance."""
    coupon, voucher = give_coupon(cast.huachen), give_voucher(cast.huachen)
    order = life.place("new", START, plan_code="lite", years=1)
    pay_with(life, order, START, coupon_grant_id=coupon.pk, voucher_ids=[voucher.pk])
    life.fulfil(order, START)
    assert (fresh(coupon).state, fresh(voucher).balance) == (CouponState.USED, Decimal("0.00"))
    return coupon, voucher


def test_leaving_within_seven_days_gives_back_what_paid(life, bought):
    coupon, voucher = bought

    order = life.do("unsubscription", START + timedelta(days=3))

    assert (order.is_free_return, order.refund_amount) == (True, Decimal("4500.00"))
    assert fresh(coupon).state == CouponState.AVAILABLE
    assert fresh(voucher).balance == Decimal("1000.00")


def test_leaving_later_gives_back_cash_only(life, bought):
    coupon, voucher = bought

    order = life.do("unsubscription", START + timedelta(days=8))

    assert not order.is_free_return
    assert fresh(coupon).state == CouponState.USED
    assert fresh(voucher).balance == Decimal("0.00")


def test_an_upgrade_whose_plan_is_gone_gives_everything_back(cast, life):
    life.do("new", START, plan_code="lite", years=1)
    coupon = give_coupon(cast.huachen)
    order = life.place("change", START, plan_code="business")
    pay_with(life, order, START, coupon_grant_id=coupon.pk)
    with scope.staff():
        subscription = order.subscription
        subscription_cancel(subscription_id=subscription.pk, closed={}, actor=SYSTEM, at=START)

    assert life.fulfil(order, START).state == OrderState.REFUNDED
    assert fresh(coupon).state == CouponState.AVAILABLE


def test_a_renewal_paid_in_time_is_fulfilled_even_after_its_expiry(cast, life):
    life.do("new", START, plan_code="lite", years=1)
    order = life.place("renewal", START, years=1)
    with scope.customer(cast.huachen.pk):
        payments.payment_begin(
            order_id=order.pk, provider_code="local", actor=actor_of(cast.owner), at=START
        )
        payment = order.payments.get()
    paid = TradeReport(
        TradeStatus.PAID,
        "support-portal",
        payment.number,
        payment.amount,
        "CNY",
        trade_no="T1",
        paid_at=order.pays_until,
    )
    with scope.staff():
        orders.orders_expire_due(at=order.pays_until)
        closed = replace(paid, status=TradeStatus.CLOSED)
        payments.payment_apply(closed, provider_code="local", at=order.pays_until)
    assert fresh(order).state == OrderState.EXPIRED

    with scope.staff():
        payments.payment_apply(paid, provider_code="local", at=order.pays_until)

    assert fresh(order).state == OrderState.PAID
