"""The price of a new term (domain.md §2 and §3)."""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.exceptions import TermNotOffered
from billing.proration import TERM_YEARS, quote_new
from core.clock import SHANGHAI

START = datetime(2023, 12, 7, 11, 8, 36, tzinfo=SHANGHAI)
PRICES = st.decimals(min_value=0, max_value=1_000_000, places=2, allow_nan=False)


@pytest.mark.parametrize(
    ("monthly", "years", "amount"),
    [
        ("500.00", 1, "6000.00"),
        ("500.00", 2, "12000.00"),
        ("500.00", 3, "18000.00"),
        ("25000.00", 1, "300000.00"),
        ("25000.00", 3, "900000.00"),
        ("50000.00", 1, "600000.00"),
        ("50000.00", 2, "1200000.00"),
        ("0.01", 1, "0.12"),
        ("33.33", 3, "1199.88"),
        ("0.00", 1, "0.00"),
    ],
)
def test_a_term_costs_the_monthly_price_times_its_months(monthly, years, amount):
    quote = quote_new(monthly=Decimal(monthly), years=years, starts=START)

    assert quote.amount == Decimal(amount)
    assert quote.amount.as_tuple().exponent == -2


@pytest.mark.parametrize(("years", "days"), [(1, 365), (2, 730), (3, 1095)])
def test_a_year_counts_as_365_paid_days_also_across_a_leap_day(years, days):
    quote = quote_new(monthly=Decimal("500.00"), years=years, starts=START)

    assert quote.paid_days == days
    assert (quote.ends - quote.starts).days == days + 1  # 29 February 2024 lies inside


def test_a_term_ends_at_the_same_time_of_day_a_calendar_year_later():
    quote = quote_new(monthly=Decimal("500.00"), years=1, starts=START)

    assert quote.ends == datetime(2024, 12, 7, 11, 8, 36, tzinfo=SHANGHAI)


@pytest.mark.parametrize(("years", "day"), [(1, 28), (2, 28), (3, 28)])
def test_a_term_from_29_february_ends_on_the_28th(years, day):
    quote = quote_new(
        monthly=Decimal("500.00"),
        years=years,
        starts=datetime(2024, 2, 29, 9, 0, tzinfo=SHANGHAI),
    )

    assert (quote.ends.year, quote.ends.month, quote.ends.day) == (2024 + years, 2, day)


def test_the_explanation_shows_the_figures_and_adds_up():
    quote = quote_new(monthly=Decimal("25000.00"), years=2, starts=START)

    assert [line.as_json() for line in quote.explanation] == [
        {"rule": "new_term", "formula": "25000.00 × 24", "amount": "600000.00"}
    ]


@pytest.mark.parametrize("years", [0, -1, 4, 10, True])
def test_other_terms_are_not_offered(years):
    with pytest.raises(TermNotOffered) as refused:
        quote_new(monthly=Decimal("500.00"), years=years, starts=START)

    assert (refused.value.code, refused.value.field) == ("term_not_offered", "years")


@pytest.mark.parametrize("monthly", ["-0.01", "500.001", "NaN", "Infinity"])
def test_what_is_no_price_is_an_error(monthly):
    with pytest.raises(ValueError, match="not a price"):
        quote_new(monthly=Decimal(monthly), years=1, starts=START)


@given(monthly=PRICES, years=st.sampled_from(TERM_YEARS))
def test_years_are_priced_alike_and_nothing_is_lost(monthly, years):
    one = quote_new(monthly=monthly, years=1, starts=START)
    many = quote_new(monthly=monthly, years=years, starts=START)

    assert many.amount == one.amount * years
    assert many.amount == sum(line.amount for line in many.explanation)
    assert many.amount >= 0
    assert many.ends > many.starts
