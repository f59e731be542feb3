"""Choosing what pays an order: coupon, vouchers, balance; held while it is open, released or spent when it ends."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.access import SYSTEM
from billing import exceptions as errors
from billing.models import CouponGrant, Voucher, VoucherUse
from billing.providers.base import TradeReport, TradeStatus
from billing.selectors.wallet import balance_of
from billing.services import orders, payments
from billing.services.ledger import balance_hold
from billing.services.vouchers import FundsReturned, funds_return, voucher_withdraw
from billing.states import CouponState, HoldState, OrderState, PaymentState
from core import clock
from core.tenancy import scope
from supportplans.models import PaidLine
from supportplans.services.subscriptions import subscription_start
from tests.factories.billing import (
    actor_of,
    fulfil,
    give_balance,
    give_coupon,
    give_voucher,
    make_coupon,
    order_for,
    set_funds,
    top_up_order,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(cast):
    return order_for(cast.huachen, cast.owner)


@pytest.fixture
def choose(cast, order):
    """Choose as the owner, in the customer's own scope."""

    def run(at=None, **chosen):
        with scope.customer(cast.huachen.pk):
            return set_funds(order, cast.owner, at=at, **chosen)

    return run


def fresh(row):
    with scope.staff():
        return type(row).objects.get(pk=row.pk)


def amounts(order):
    order = fresh(order)
    return tuple(
        str(amount)
        for amount in (order.coupon_amount, order.voucher_amount, order.balance_amount, order.due)
    )


def uses(order):
    with scope.staff():
        return [
            (use.voucher_id, str(use.amount), use.state)
            for use in VoucherUse.objects.filter(order=order).order_by("pk")
        ]


def report_of(order, *, paid_at):
    with scope.staff():
        payment = order.payments.get()
    return TradeReport(
        TradeStatus.PAID,
        "support-portal",
        payment.number,
        payment.amount,
        "CNY",
        trade_no="T1",
        paid_at=paid_at,
    )


def begin(cast, order):
    with scope.customer(cast.huachen.pk):
        payments.payment_begin(
            order_id=order.pk, provider_code="local", actor=actor_of(cast.owner), at=clock.now()
        )


def test_the_coupon_comes_first_then_vouchers_by_their_end_then_the_balance(cast, order, choose):
    coupon = give_coupon(cast.huachen)
    late = give_voucher(cast.huachen, "3000.00")
    early = give_voucher(cast.huachen, "1000.00", valid_until=clock.now() + timedelta(days=2))
    with scope.staff():
        give_balance(cast.huachen, "700.00")

    choose(coupon_grant_id=coupon.pk, voucher_ids=[late.pk, early.pk], use_balance=True)

    assert amounts(order) == ("500.00", "4000.00", "700.00", "800.00")
    assert uses(order) == [(early.pk, "1000.00", "held"), (late.pk, "3000.00", "held")]
    assert (fresh(early).balance, fresh(late).balance) == (Decimal("0.00"), Decimal("0.00"))
    grant = fresh(coupon)
    assert (grant.state, grant.order_id, grant.amount) == ("held", order.pk, Decimal("500.00"))
    with scope.staff():
        assert balance_of(cast.huachen.pk) == Decimal("0.00")


def test_a_voucher_pays_only_what_is_needed(cast, order, choose):
    voucher = give_voucher(cast.huachen, "9000.00")

    paid = choose(voucher_ids=[voucher.pk], use_balance=True)

    assert amounts(order) == ("0.00", "6000.00", "0.00", "0.00")
    assert fresh(voucher).balance == Decimal("3000.00")
    assert paid.state == OrderState.PAID, "nothing left to pay is paid at once"
    assert uses(order) == [(voucher.pk, "6000.00", "captured")]


def test_another_choice_releases_and_holds_anew(cast, order, choose):
    first, second = give_coupon(cast.huachen), give_coupon(cast.huachen, value=Decimal("800.00"))
    voucher = give_voucher(cast.huachen)
    choose(coupon_grant_id=first.pk, voucher_ids=[voucher.pk])

    choose(coupon_grant_id=second.pk)

    assert amounts(order) == ("800.00", "0.00", "0.00", "5200.00")
    assert (fresh(first).state, fresh(first).order_id) == (CouponState.AVAILABLE, None)
    assert fresh(second).state == CouponState.HELD
    assert fresh(voucher).balance == Decimal("1000.00")
    assert uses(order) == [(voucher.pk, "1000.00", "released")]

    choose()

    assert amounts(order) == ("0.00", "0.00", "0.00", "6000.00")
    assert fresh(second).state == CouponState.AVAILABLE


def test_the_same_choice_again_changes_nothing(cast, order, choose):
    coupon, voucher = give_coupon(cast.huachen), give_voucher(cast.huachen)
    with scope.staff():
        give_balance(cast.huachen, "100.00")
    chosen = {"coupon_grant_id": coupon.pk, "voucher_ids": [voucher.pk], "use_balance": True}
    before = choose(**chosen)

    assert choose(**chosen).version == before.version
    assert len(uses(order)) == 1


def test_a_choice_over_another_sum_closes_the_open_attempt(cast, order, choose):
    coupon = give_coupon(cast.huachen)
    begin(cast, order)

    choose(coupon_grant_id=coupon.pk)

    with scope.staff():
        assert order.payments.get().state == PaymentState.CLOSING


def test_an_order_covered_with_an_attempt_under_way_waits_for_its_end(cast, order, choose):
    voucher = give_voucher(cast.huachen, "6000.00")
    begin(cast, order)

    assert choose(voucher_ids=[voucher.pk]).state == OrderState.PENDING

    report = report_of(order, paid_at=None)
    closed = TradeReport(TradeStatus.CLOSED, report.merchant, report.number, report.amount, "CNY")
    with scope.staff():
        payments.payment_apply(closed, provider_code="local", at=clock.now())
    assert fresh(order).state == OrderState.PAID
    assert uses(order) == [(voucher.pk, "6000.00", "captured")]


@pytest.mark.parametrize("end", ["cancel", "expire"])
def test_an_order_that_dies_lets_everything_go(cast, order, choose, end):
    coupon, voucher = give_coupon(cast.huachen), give_voucher(cast.huachen)
    with scope.staff():
        give_balance(cast.huachen, "100.00")
    choose(coupon_grant_id=coupon.pk, voucher_ids=[voucher.pk], use_balance=True)

    if end == "cancel":
        with scope.customer(cast.huachen.pk):
            orders.order_cancel(order_id=order.pk, actor=actor_of(cast.owner), at=clock.now())
    else:
        with scope.staff():
            orders.orders_expire_due(at=order.pays_until)

    assert fresh(coupon).state == CouponState.AVAILABLE
    assert fresh(voucher).balance == Decimal("1000.00")
    assert uses(order) == [(voucher.pk, "1000.00", "released")]
    with scope.staff():
        assert balance_of(cast.huachen.pk) == Decimal("100.00")


def test_the_paid_line_keeps_each_share(cast, order, choose):
    coupon, voucher = give_coupon(cast.huachen), give_voucher(cast.huachen)
    with scope.staff():
        give_balance(cast.huachen, "9000.00")
    choose(coupon_grant_id=coupon.pk, voucher_ids=[voucher.pk], use_balance=True)
    assert fresh(order).state == OrderState.PAID
    assert fresh(coupon).state == CouponState.USED

    fulfil(order)

    with scope.staff():
        line = PaidLine.objects.get()
    assert (line.coupon_amount, line.voucher_amount, line.cash) == (
        Decimal("500.00"),
        Decimal("1000.00"),
        {"balance": "4500.00"},
    )


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"plans": ("business",)}, "仅适用于商业级"),
        ({"order_types": ("upgrade",)}, "仅适用于升配订单"),
        ({"min_spend": Decimal("10000.00")}, "订单金额满 10,000.00 元可用，还差 4,000.00 元"),
    ],
)
def test_a_coupon_that_does_not_apply_is_refused_with_the_reason(
    cast, order, choose, terms, reason
):
    grant, voucher = give_coupon(cast.huachen, **terms), give_voucher(cast.huachen)

    with pytest.raises(errors.CouponNotApplicable, match=reason) as refused:
        choose(coupon_grant_id=grant.pk, voucher_ids=[voucher.pk])

    assert refused.value.field == "coupon"
    assert amounts(order) == ("0.00", "0.00", "0.00", "6000.00")
    assert fresh(grant).state == CouponState.AVAILABLE
    assert fresh(voucher).balance == Decimal("1000.00")


def test_what_is_used_or_anothers_cannot_be_chosen(cast, order, choose):
    theirs, their_voucher = give_coupon(cast.yunfan), give_voucher(cast.yunfan)
    used = give_coupon(cast.huachen)
    with scope.staff():
        CouponGrant.objects.filter(pk=used.pk).update(state=CouponState.USED)

    for grant_id in (theirs.pk, used.pk, 987_654_321):
        with pytest.raises(errors.CouponNotApplicable):
            choose(coupon_grant_id=grant_id)
    for voucher_id in (their_voucher.pk, 987_654_321):
        with pytest.raises(errors.VoucherNotUsable):
            choose(voucher_ids=[voucher_id])
    assert fresh(their_voucher).balance == Decimal("1000.00")


def test_vouchers_out_of_their_validity_cannot_be_chosen(cast, order, choose):
    now = clock.now()
    soon = give_voucher(cast.huachen, valid_from=now + timedelta(hours=1))
    over = give_voucher(cast.huachen, valid_until=now + timedelta(hours=1))
    gone = give_voucher(cast.huachen)
    with scope.staff():
        Voucher.objects.filter(pk=gone.pk).update(withdrawn_at=now)

    for voucher, at in ((soon, now), (over, now + timedelta(hours=1)), (gone, now)):
        with pytest.raises(errors.VoucherNotUsable):
            choose(voucher_ids=[voucher.pk], at=at)


def test_what_is_held_stays_usable_when_its_validity_ends_meanwhile(cast, order, choose):
    soon = clock.now() + timedelta(hours=1)
    coupon = give_coupon(cast.huachen, valid_until=soon)
    voucher = give_voucher(cast.huachen, valid_until=soon)
    chosen = {"coupon_grant_id": coupon.pk, "voucher_ids": [voucher.pk]}
    choose(**chosen)
    with scope.staff():
        give_balance(cast.huachen, "9000.00")

    paid = choose(at=soon + timedelta(hours=1), use_balance=True, **chosen)

    assert paid.state == OrderState.PAID
    assert amounts(order) == ("500.00", "1000.00", "4500.00", "0.00")


def test_a_top_up_is_paid_at_the_cashier_only(cast):
    voucher = give_voucher(cast.huachen)
    with scope.staff():
        top_up = top_up_order(cast.huachen, Decimal("100.00"))

    with scope.customer(cast.huachen.pk), pytest.raises(errors.TopUpByCashierOnly):
        set_funds(top_up, cast.owner, voucher_ids=[voucher.pk])
    with scope.customer(cast.huachen.pk), pytest.raises(errors.TopUpByCashierOnly):
        set_funds(top_up, cast.owner, use_balance=True)


def test_a_dead_order_takes_no_choice(cast, order, choose):
    voucher = give_voucher(cast.huachen)

    with pytest.raises(errors.OrderNotPayable):
        choose(voucher_ids=[voucher.pk], at=order.pays_until)


@pytest.fixture
def expired(cast, order, choose):
    """An order that expired with an attempt under way, paid with everything; its payment was in time."""
    coupon, voucher = give_coupon(cast.huachen), give_voucher(cast.huachen)
    with scope.staff():
        give_balance(cast.huachen, "100.00")
    # An earlier choice must not come back.
    choose(voucher_ids=[give_voucher(cast.huachen, "77.00").pk])
    choose(coupon_grant_id=coupon.pk, voucher_ids=[voucher.pk], use_balance=True)
    begin(cast, order)
    report = report_of(order, paid_at=order.pays_until)
    closed = TradeReport(TradeStatus.CLOSED, report.merchant, report.number, report.amount, "CNY")
    with scope.staff():
        orders.orders_expire_due(at=order.pays_until)
        payments.payment_apply(closed, provider_code="local", at=order.pays_until)
    assert fresh(order).state == OrderState.EXPIRED
    assert fresh(voucher).balance == Decimal("1000.00")
    return coupon, voucher, report


def test_money_that_was_in_time_takes_up_what_the_order_held(cast, order, expired):
    coupon, voucher, report = expired

    with scope.staff():
        payments.payment_apply(report, provider_code="local", at=clock.now())

    assert fresh(order).state == OrderState.PAID
    assert (fresh(coupon).state, fresh(coupon).order_id) == (CouponState.USED, order.pk)
    assert fresh(voucher).balance == Decimal("0.00")
    assert uses(order)[-1] == (voucher.pk, "1000.00", "captured")
    with scope.staff():
        assert balance_of(cast.huachen.pk) == Decimal("0.00")


def use_otherwise(cast, spent, coupon, voucher):
    """Let something else have what the expired order held."""
    if spent == "coupon":
        another = order_for(cast.huachen, cast.owner)
        with scope.customer(cast.huachen.pk):
            set_funds(another, cast.owner, coupon_grant_id=coupon.pk)
            orders.order_cancel(order_id=another.pk, actor=actor_of(cast.owner), at=clock.now())
    with scope.staff():
        if spent == "voucher":
            voucher_withdraw(voucher_id=voucher.pk, actor=SYSTEM, at=clock.now())
        if spent == "balance":
            balance_hold(
                order=top_up_order(cast.huachen, Decimal("1.00")),
                amount=Decimal("1.00"),
                actor=SYSTEM,
                at=clock.now(),
            )


@pytest.mark.parametrize("spent", ["coupon", "voucher", "balance"])
def test_money_in_time_goes_to_the_balance_when_the_rest_was_used_otherwise(
    cast, order, expired, spent
):
    coupon, voucher, report = expired
    use_otherwise(cast, spent, coupon, voucher)

    with scope.staff():
        before = balance_of(cast.huachen.pk)
        payments.payment_apply(report, provider_code="local", at=clock.now())
        assert balance_of(cast.huachen.pk) == before + report.amount

    assert fresh(order).state == OrderState.EXPIRED
    assert fresh(coupon).state == CouponState.AVAILABLE
    assert fresh(voucher).balance == Decimal("1000.00")
    assert uses(order)[-1][2] == "released"


def test_a_return_gives_back_vouchers_and_the_coupon_once(cast, order, choose):
    coupon, voucher = give_coupon(cast.huachen), give_voucher(cast.huachen, "5500.00")
    choose(coupon_grant_id=coupon.pk, voucher_ids=[voucher.pk])
    order = fresh(order)
    assert order.state == OrderState.PAID

    with scope.staff():
        back = funds_return(order=order, actor=actor_of(cast.owner), at=clock.now())
        again = funds_return(order=order, actor=actor_of(cast.owner), at=clock.now())

    assert back == FundsReturned(vouchers=Decimal("5500.00"), coupon=Decimal("500.00"))
    assert again == FundsReturned(vouchers=Decimal("0.00"), coupon=Decimal("0.00"))
    assert fresh(voucher).balance == Decimal("5500.00")
    assert uses(order) == [(voucher.pk, "5500.00", HoldState.RETURNED)]
    assert (fresh(coupon).state, fresh(coupon).order_id) == (CouponState.AVAILABLE, None)


def test_a_coupon_that_is_over_is_not_returned(cast, order, choose):
    coupon = give_coupon(
        cast.huachen,
        make_coupon(valid_until=clock.now() + timedelta(hours=1), value=Decimal("6000")),
    )
    choose(coupon_grant_id=coupon.pk)

    with scope.staff():
        back = funds_return(
            order=fresh(order), actor=actor_of(cast.owner), at=clock.now() + timedelta(hours=1)
        )

    assert back == FundsReturned(vouchers=Decimal("0.00"), coupon=Decimal("0.00"))
    assert fresh(coupon).state == CouponState.USED


def test_an_order_that_lost_a_race_gives_everything_back(cast, order, choose):
    coupon, voucher = give_coupon(cast.huachen), give_voucher(cast.huachen, "9000.00")
    choose(coupon_grant_id=coupon.pk, voucher_ids=[voucher.pk])
    at = clock.now()
    with scope.staff():
        subscription_start(
            tenant_id=cast.huachen.pk,
            plan_code="business",
            basis="paid",
            starts=at,
            ends=at + timedelta(days=30),
            lines=[],
            actor=actor_of(cast.owner),
            at=at,
        )

    assert fulfil(order).state == OrderState.REFUNDED
    assert fresh(voucher).balance == Decimal("9000.00")
    assert fresh(coupon).state == CouponState.AVAILABLE
