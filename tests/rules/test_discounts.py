"""What coupons take off and who pays how much of an order (domain.md §4)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.discounts import (
    CouponTerms,
    Purse,
    coupon_discount,
    coupon_refusal,
    funds_plan,
    vouchers_allot,
)
from core.money import CENT, ZERO

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def terms(**changed) -> CouponTerms:
    return CouponTerms(
        **{
            "kind": "fixed",
            "value": Decimal("500.00"),
            "valid_from": NOW - DAY,
            "valid_until": NOW + DAY,
            **changed,
        }
    )


def percent(value: str, cap: str | None = "1000.00") -> CouponTerms:
    return terms(kind="percent", value=Decimal(value), cap=cap and Decimal(cap))


@pytest.mark.parametrize(
    ("coupon", "amount", "off"),
    [
        (terms(), "6000.00", "500.00"),
        (terms(), "500.00", "500.00"),
        (terms(), "499.99", "499.99"),
        (terms(), "0.00", "0.00"),
        (percent("10"), "6000.00", "600.00"),
        (percent("10"), "10000.00", "1000.00"),
        (percent("10"), "10000.01", "1000.00"),
        (percent("90", "900000.00"), "300000.00", "270000.00"),
        (percent("100", "900000.00"), "6000.00", "6000.00"),
        (percent("12.50"), "0.04", "0.01"),  # half a cent rounds up, once
        (percent("12.50"), "0.03", "0.00"),
    ],
)
def test_a_coupon_takes_off(coupon, amount, off):
    assert coupon_discount(coupon, Decimal(amount)) == Decimal(off)


@pytest.mark.parametrize(
    ("changed", "asked", "reason"),
    [
        ({}, {}, ""),
        ({"order_types": ("new", "renew")}, {}, ""),
        ({"order_types": ("upgrade", "renew")}, {}, "仅适用于升配、续订订单"),
        ({}, {"order_type": "top_up", "plan": ""}, "仅适用于订购、升配、续订订单"),
        ({}, {"order_type": "downgrade"}, "仅适用于订购、升配、续订订单"),
        ({"plans": ("lite", "business")}, {}, ""),
        ({"plans": ("business", "enterprise")}, {}, "仅适用于商业级、企业级"),
        ({"min_spend": Decimal("6000.00")}, {}, ""),
        ({"min_spend": Decimal("6000.01")}, {}, "订单金额满 6,000.01 元可用，还差 0.01 元"),
        ({"valid_from": NOW}, {}, ""),
        ({"valid_from": NOW + timedelta(seconds=1)}, {}, "2026-11-23 10:00 起可用"),
        ({"valid_until": NOW + timedelta(seconds=1)}, {}, ""),
        ({"valid_until": NOW}, {}, "已于 2026-11-23 10:00 过期"),
        ({}, {"amount": ZERO}, "本订单没有可优惠的金额"),
        (
            {"kind": "percent", "value": CENT, "cap": CENT},
            {"amount": CENT},
            "本订单没有可优惠的金额",
        ),
    ],
)
def test_a_coupon_says_why_it_does_not_apply(changed, asked, reason):
    order = {"order_type": "new", "plan": "lite", "amount": Decimal("6000.00"), "at": NOW, **asked}

    assert coupon_refusal(terms(**changed), **order) == reason


def purses(*sums: str) -> list[Purse]:
    """Return vouchers, the first given ending last."""
    return [
        Purse(key, Decimal(usable), NOW + DAY * (len(sums) - key))
        for key, usable in enumerate(sums)
    ]


@pytest.mark.parametrize(
    ("needed", "sums", "parts"),
    [
        ("100.00", [], ()),
        ("100.00", ["300.00"], ((0, "100.00"),)),
        ("100.00", ["80.00", "30.00"], ((1, "30.00"), (0, "70.00"))),
        ("100.00", ["80.00", "100.00"], ((1, "100.00"),)),
        ("100.00", ["20.00", "0.00", "30.00"], ((2, "30.00"), (0, "20.00"))),
        ("0.00", ["20.00"], ()),
    ],
)
def test_the_voucher_that_ends_first_pays_first(needed, sums, parts):
    assert vouchers_allot(Decimal(needed), purses(*sums)) == tuple(
        (key, Decimal(amount)) for key, amount in parts
    )


def test_vouchers_that_end_together_pay_in_the_order_of_their_keys():
    both = [Purse(key, Decimal("60.00"), NOW) for key in (7, 3)]

    assert vouchers_allot(Decimal("100.00"), both) == (
        (3, Decimal("60.00")),
        (7, Decimal("40.00")),
    )


cents = st.integers(min_value=0, max_value=10**8).map(lambda n: Decimal(n) / 100)
coupons = st.one_of(
    st.none(),
    cents.filter(bool).map(lambda value: terms(value=value)),
    st.tuples(st.integers(1, 10_000), cents).map(
        lambda pair: terms(kind="percent", value=Decimal(pair[0]) / 100, cap=pair[1])
    ),
)
held = st.lists(st.tuples(cents, st.integers(0, 400)), max_size=6).map(
    lambda rows: [
        Purse(key, usable, NOW + timedelta(hours=hours)) for key, (usable, hours) in enumerate(rows)
    ]
)


@given(amount=cents, coupon=coupons, vouchers=held, balance=cents)
def test_the_parts_make_the_amount_and_nobody_pays_more_than_there_is(
    amount, coupon, vouchers, balance
):
    plan = funds_plan(amount, coupon=coupon, purses=vouchers, balance=balance)

    parts = [plan.coupon, plan.voucher, plan.balance, plan.due]
    assert sum(parts) == amount
    assert all(part >= 0 and part == part.quantize(CENT) for part in parts)
    usable = {purse.key: purse.usable for purse in vouchers}
    assert all(ZERO < part <= usable[key] for key, part in plan.vouchers)
    assert plan.balance <= balance
    if plan.balance:  # the balance pays only what no chosen voucher could
        assert plan.voucher == sum(usable.values(), ZERO)
    if plan.due:
        assert plan.balance == balance
    ends = {purse.key: (purse.valid_until, purse.key) for purse in vouchers}
    order = [ends[key] for key, _part in plan.vouchers]
    assert order == sorted(order)
    assert all(part == usable[key] for key, part in plan.vouchers[:-1])


@given(amount=cents, more=cents, coupon=coupons.filter(bool))
def test_a_dearer_order_is_never_cheaper_after_the_coupon(amount, more, coupon):
    assert amount - coupon_discount(coupon, amount) <= (
        amount + more - coupon_discount(coupon, amount + more)
    )
