"""Rounding and splitting of money (domain.md §3)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import ZERO, largest_remainder, quantize

cents = st.integers(min_value=0, max_value=10**9).map(lambda n: Decimal(n) / 100)
weights = st.dictionaries(
    st.sampled_from(["alipay", "balance", "bestpay", "transfer", "wechatpay"]),
    st.decimals(min_value=0, max_value=10**6, places=2),
    min_size=1,
)


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.005", "0.01"), ("0.0049", "0.00"), ("2.675", "2.68"), ("82191.780821", "82191.78")],
)
def test_half_a_cent_rounds_up(amount, rounded):
    assert quantize(Decimal(amount)) == Decimal(rounded)


@given(total=cents, shares=weights)
def test_parts_sum_to_the_total_and_stay_near_their_share(total, shares):
    whole = sum(shares.values())
    if whole == 0:
        shares["balance"] = whole = Decimal(1)

    parts = largest_remainder(total, shares)

    assert sum(parts.values(), ZERO) == total
    assert all(abs(parts[name] - total * shares[name] / whole) < Decimal("0.01") for name in shares)
    assert all(parts[name] == 0 for name in shares if shares[name] == 0)


def test_a_leftover_cent_goes_to_the_largest_remainder():
    parts = largest_remainder(Decimal("10.00"), {"alipay": Decimal(1), "balance": Decimal(2)})
    assert parts == {"alipay": Decimal("3.33"), "balance": Decimal("6.67")}


def test_ties_go_by_name():
    parts = largest_remainder(Decimal("0.01"), {"wechatpay": Decimal(1), "alipay": Decimal(1)})
    assert parts == {"alipay": Decimal("0.01"), "wechatpay": ZERO}


def test_nothing_to_split_by_is_an_error():
    with pytest.raises(ValueError, match="sum to 0"):
        largest_remainder(Decimal("1.00"), {"balance": ZERO})
