"""Two at once on one voucher, one coupon, one budget; each race is shown without the lock first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal

import pytest

from accounts.access import SYSTEM
from accounts.models import Tenant
from billing.grant_files import grant_lines
from billing.models import Coupon, CouponGrant, Order, Voucher, VoucherUse
from billing.services import holds
from billing.services.grant_imports import grants_import
from billing.services.holds import funds_choose, funds_hold, voucher_hold
from billing.services.vouchers import coupon_grant, coupons_expire_due
from billing.states import CouponState, OrderType
from core import clock
from core.tenancy import scope
from supportplans.models import Plan
from tests.billing.test_races import at_once, names
from tests.factories.billing import (
    give_coupon,
    give_voucher,
    make_coupon,
    order_for,
    set_funds,
    top_up_order,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two_orders(cast):
    """Two open orders of one account, as far as holds are concerned."""
    with scope.staff():
        return [top_up_order(cast.huachen, Decimal("80.00")) for _ in range(2)]


def hold(cast, order: Order, voucher: Voucher) -> Callable[[], object]:
    def run() -> object:
        with scope.customer(cast.huachen.pk):
            return voucher_hold(
                order=order, voucher_id=voucher.pk, amount=Decimal("80.00"), at=clock.now()
            )

    return run


def left(voucher: Voucher) -> tuple[Decimal, int]:
    with scope.staff():
        return Voucher.objects.get(pk=voucher.pk).balance, VoucherUse.objects.count()


def test_without_the_lock_two_orders_see_the_money_and_the_database_stops_the_second(
    cast, two_orders, monkeypatch
):
    voucher = give_voucher(cast.huachen, "100.00")
    both_have_read = threading.Barrier(2)

    class Unlocked:
        @staticmethod
        def get(pk: int) -> Voucher:
            row = Voucher.objects.get(pk=pk)
            both_have_read.wait(timeout=10)
            return row

    monkeypatch.setattr("billing.services.holds.lock_vouchers", Unlocked)
    results = at_once(*(hold(cast, order, voucher) for order in two_orders))

    assert names(results) == ["IntegrityError", "VoucherUse"]
    assert "voucher_balance_in_range" in str(results[0])
    assert left(voucher) == (Decimal("20.00"), 1)


def test_two_orders_on_one_voucher_spend_it_once(cast, two_orders):
    voucher = give_voucher(cast.huachen, "100.00")

    results = at_once(*(hold(cast, order, voucher) for order in two_orders))

    assert names(results) == ["VoucherNotUsable", "VoucherUse"]
    assert left(voucher) == (Decimal("20.00"), 1)


def taking(cast, order: Order, grant: CouponGrant) -> Callable[[], object]:
    """Let the order take the coupon, as an order for a plan does."""

    def run() -> object:
        with scope.customer(cast.huachen.pk):
            choice = funds_choose(
                order=order,
                coupon_grant_id=grant.pk,
                voucher_ids=[],
                use_balance=False,
                at=clock.now(),
            )
            funds_hold(order=order, choice=choice, actor=SYSTEM, at=clock.now())
            return order

    return run


@pytest.fixture
def two_buyers(cast, two_orders):
    """The two open orders, as if they were for a plan."""
    with scope.staff():
        lite = Plan.objects.get(code="lite")
    for order in two_orders:
        order.type, order.plan, order.amount = OrderType.NEW, lite, Decimal("6000.00")
    return two_orders


def test_two_orders_on_one_coupon_use_it_once(cast, two_buyers):
    grant = give_coupon(cast.huachen)

    results = at_once(*(taking(cast, order, grant) for order in two_buyers))

    assert names(results) == ["CouponNotApplicable", "Order"]
    with scope.staff():
        assert CouponGrant.objects.get(pk=grant.pk).order_id == results[1].pk


def test_without_the_lock_two_orders_both_have_the_coupons_discount(cast, two_buyers, monkeypatch):
    grant = give_coupon(cast.huachen)
    both_have_read = threading.Barrier(2)
    move = holds._grant_move

    def moved_together(*arguments: object, **more: object) -> None:
        both_have_read.wait(timeout=10)
        move(*arguments, **more)

    monkeypatch.setattr(
        holds,
        "lock_coupon_grants",
        lambda: CouponGrant.objects.select_related("coupon").order_by("pk"),
    )
    monkeypatch.setattr(holds, "_grant_move", moved_together)

    results = at_once(*(taking(cast, order, grant) for order in two_buyers))

    assert [order.coupon_amount for order in results] == [Decimal("500.00")] * 2


def test_two_tabs_that_choose_at_once_hold_one_choice(cast):
    order = order_for(cast.huachen, cast.owner)
    coupon, voucher = give_coupon(cast.huachen), give_voucher(cast.huachen, "900.00")

    def choose(**chosen) -> Callable[[], object]:
        def run() -> object:
            with scope.customer(cast.huachen.pk):
                return set_funds(order, cast.owner, **chosen)

        return run

    results = at_once(choose(coupon_grant_id=coupon.pk), choose(voucher_ids=[voucher.pk]), choose())

    assert names(results) == ["Order"] * 3
    with scope.staff():
        last = Order.objects.get(pk=order.pk)
        held = CouponGrant.objects.filter(state=CouponState.HELD).count()
        balance = Voucher.objects.get(pk=voucher.pk).balance
    assert (held == 1) == (last.coupon_amount == Decimal("500.00"))
    assert balance == Decimal("900.00") - last.voucher_amount


def granting(coupon: Coupon, tenant: Tenant, key: str = "k") -> Callable[[], object]:
    def run() -> object:
        with scope.staff():
            return coupon_grant(
                coupon_id=coupon.pk, tenant_id=tenant.pk, key=key, actor=SYSTEM, at=clock.now()
            )

    return run


def reserved(coupon: Coupon) -> Decimal:
    with scope.staff():
        return Coupon.objects.get(pk=coupon.pk).reserved


def test_without_the_lock_two_grants_see_the_budget_and_the_database_stops_the_second(
    cast, monkeypatch
):
    coupon = make_coupon(budget=Decimal("500.00"))
    both_have_read = threading.Barrier(2)

    class Unlocked:
        @staticmethod
        def get(pk: int) -> Coupon:
            row = Coupon.objects.get(pk=pk)
            both_have_read.wait(timeout=10)
            return row

    monkeypatch.setattr("billing.services.vouchers.lock_coupons", Unlocked)
    results = at_once(granting(coupon, cast.huachen), granting(coupon, cast.yunfan))

    assert names(results) == ["CouponGrant", "IntegrityError"]
    assert "coupon_within_budget" in str(results[1])


def test_two_customers_at_once_share_one_budget(cast):
    coupon = make_coupon(budget=Decimal("500.00"))

    results = at_once(granting(coupon, cast.huachen), granting(coupon, cast.yunfan))

    assert names(results) == ["CouponBudgetSpent", "CouponGrant"]
    assert reserved(coupon) == Decimal("500.00")


def test_a_double_click_grants_once(cast):
    coupon = make_coupon(budget=Decimal("5000.00"))

    results = at_once(*[granting(coupon, cast.huachen)] * 3)

    assert names(results) == ["CouponGrant"] * 3
    assert reserved(coupon) == Decimal("500.00")


def test_the_sweep_against_the_customers_choice_ends_or_spares_the_coupon(cast):
    order, grant = order_for(cast.huachen, cast.owner), give_coupon(cast.huachen)
    over = grant.coupon.valid_until

    def choose() -> object:
        with scope.customer(cast.huachen.pk):
            return set_funds(order, cast.owner, coupon_grant_id=grant.pk)

    def sweep() -> object:
        with scope.staff():
            return coupons_expire_due(at=over)

    results = at_once(choose, sweep)

    with scope.staff():
        state = CouponGrant.objects.get(pk=grant.pk).state
        freed = Coupon.objects.get(pk=grant.coupon_id).reserved
    assert (state, names(results), freed) in [
        ("held", ["Order", "int"], Decimal("500.00")),
        ("expired", ["CouponNotApplicable", "int"], Decimal("0.00")),
    ]


def test_two_imports_in_any_order_of_lines_grant_each_line_once(cast):
    coupon = make_coupon(code="UP500", budget=Decimal("1000.00"))
    lines = ["华辰科技,优惠券,UP500", "云帆物流,优惠券,UP500"]

    def run(text: str) -> Callable[[], object]:
        def grant() -> object:
            with scope.staff():
                return grants_import(lines=grant_lines(text), actor=SYSTEM, at=clock.now())

        return grant

    results = at_once(run("\n".join(lines)), run("\n".join(reversed(lines))))

    assert sorted(results) == [0, 2]
    with scope.staff():
        assert CouponGrant.objects.count() == 2
        assert Coupon.objects.get(pk=coupon.pk).reserved == Decimal("1000.00")
