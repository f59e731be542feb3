"""What is earned when (billing.revenue): even over the paid-for days, exact to the cent, whatever becomes of a line."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.paid_lines import Line
from billing.proration import quote_downgrade, quote_new, quote_unsubscription
from billing.quotes import Quote
from billing.revenue import Booked, by_month, deferred_at, month_of, recognised_until
from core.clock import SHANGHAI
from core.money import ZERO, to_cents
from tests.rules.paid import paid
from tests.rules.test_proration_properties import (
    FUNDS,
    act,
    actions,
    funds_of,
    prices,
    starts,
)

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
# 1 January 2025, so that 2025 is exactly the 365 days that are paid for.
START = datetime(2025, 1, 1, tzinfo=SHANGHAI)
PRICE = Decimal("500.00")


def term(*, cash="6000.00", voucher="0.00", at=START) -> Line:
    """Return 轻量级 for one year from ``at``: ``voucher`` pays what ``cash`` does not."""
    line = quote_new(plan="lite", monthly=PRICE, years=1, at=at).term
    return replace(line, cash={"balance": Decimal(cash)}, voucher=Decimal(voucher))


def test_each_paid_for_day_earns_the_same_once_it_has_begun():
    booked = Booked(term(cash="3650.00", voucher="2350.00"))
    assert (recognised_until(booked, START), deferred_at(booked, START)) == (0, 0)
    for days in (1, 31, 364, 365, 400):
        earned = min(days, 365) * 10_00
        for at in (START + days * DAY, START + (days - 1) * DAY + MICROSECOND):
            assert recognised_until(booked, at) == earned
            assert deferred_at(booked, at) == 365_000 - earned


def test_a_year_is_earned_month_by_month_in_shanghai():
    line = term(cash="3650.00", voucher="2350.00")
    earned = by_month([Booked(line)], START + 366 * DAY)
    assert [earned[date(2025, month, 1), "lite"] for month in (1, 2, 3, 12)] == [
        310_00,
        280_00,
        310_00,
        310_00,
    ]
    assert sum(earned.values()) == 3650_00


def test_vouchers_and_coupons_are_no_revenue():
    line = replace(term(cash="0.00", voucher="6000.00"), cash={})
    assert by_month([Booked(line)], START + 400 * DAY) == {}


def test_nothing_is_earned_before_the_purchase_and_days_that_had_passed_are_earned_with_it():
    line = replace(term(cash="3650.00"), bought=START + 40 * DAY)
    earned = by_month([Booked(line)], START + 59 * DAY)
    assert earned == {(date(2025, 2, 1), "lite"): 590_00}


def test_a_free_return_reverses_to_nothing_in_its_month():
    line = term(at=START + 28 * DAY)  # 29 January
    at = line.starts + 5 * DAY
    (closing,) = quote_unsubscription(lines=[line], at=at).closings
    assert closing.kept == ZERO
    earned = by_month([Booked(line, at, closing.kept)], START + 400 * DAY)
    assert earned[date(2025, 1, 1), "lite"] > 0
    assert earned[date(2025, 2, 1), "lite"] == -earned[date(2025, 1, 1), "lite"]


def test_leaving_keeps_what_was_earned():
    line = term()
    at = START + 100 * DAY
    (closing,) = quote_unsubscription(lines=[line], at=at, free_returns=0).closings
    assert to_cents(closing.kept) == recognised_until(Booked(line), at) == 164_384
    after = Booked(line, at, closing.kept)
    assert (recognised_until(after, at), recognised_until(after, at + DAY)) == (164_384, 164_384)
    assert (deferred_at(after, at), deferred_at(after, at + DAY)) == (435_616, 0)


def test_what_a_downgrade_carries_over_is_earned_by_the_line_below():
    line = quote_new(plan="business", monthly=Decimal("25000.00"), years=1, at=START).term
    line = replace(line, cash={"balance": line.list_amount})
    at = START + 165 * DAY
    quote = quote_downgrade(lines=[line], plan="lite", monthly=PRICE, at=at)
    (closing,), (below,) = quote.closings, quote.added
    assert closing.carried == sum(below.cash.values()) == Decimal("3287.67")
    booked = [Booked(line, at, closing.kept), Booked(below)]
    earned = by_month(booked, START + 400 * DAY)
    assert sum(earned.values()) == to_cents(line.list_amount - quote.refund)
    assert sum(c for (_, plan), c in earned.items() if plan == "lite") == 328_767


def test_a_month_begins_in_shanghai():
    assert month_of(datetime(2025, 1, 31, 23, 59, 59, tzinfo=SHANGHAI)) == date(2025, 1, 1)
    assert month_of(START - MICROSECOND) == date(2024, 12, 1)


@dataclass
class Life:
    """All lines that a subscription ever had, and the money of its orders."""

    lines: list[Line] = field(default_factory=list)
    booked: dict[int, Booked] = field(default_factory=dict)
    bought: Decimal = ZERO
    refunded: Decimal = ZERO

    def take(self, quote: Quote, funds: Sequence[int], at: datetime) -> None:
        """Do what was quoted; what is charged is paid with ``funds``."""
        for closing in quote.closings:
            self.booked[closing.line.key] = Booked(closing.line, at, closing.kept)
        self.lines = []
        for line in paid(quote, funds_of(quote.charge, funds)):
            self.lines.append(self._kept(line, is_charged=quote.action != "downgrade"))
        self.refunded += quote.refund

    def _kept(self, line: Line, *, is_charged: bool) -> Line:
        if line.key is not None:
            return line
        known = replace(line, key=len(self.booked))
        self.booked[known.key] = Booked(known)
        self.bought += sum(line.cash.values(), ZERO) if is_charged else ZERO
        return known


@given(
    start=starts,
    prices_now=prices,
    steps=actions,
    weights=st.lists(st.integers(0, 100), min_size=len(FUNDS), max_size=len(FUNDS)),
    leaves=st.booleans(),
    days_later=st.integers(0, 2000),
)
def test_in_every_life_months_and_deferred_sum_to_the_cash_paid_less_refunded(
    start, prices_now, steps, weights, leaves, days_later
):
    life, at = Life(), start
    first = quote_new(plan="business", monthly=prices_now["business"], years=1, at=at)
    life.take(first, weights, at)
    for action, plan, years, seconds, funds in steps:
        at += timedelta(seconds=seconds)
        quote = act(life.lines, action, plan, years, at, prices_now)
        if quote is not None:
            life.take(quote, funds, at)
    if leaves and life.lines and max(line.ends for line in life.lines) > at:
        life.take(quote_unsubscription(lines=life.lines, at=at), weights, at)

    until = at + MICROSECOND + days_later * DAY
    booked = list(life.booked.values())
    earned = by_month(booked, until)
    deferred = sum(deferred_at(each, until) for each in booked)
    assert sum(earned.values()) + deferred == to_cents(life.bought - life.refunded)
    for plan in {each.line.plan for each in booked}:
        its = [each for each in booked if each.line.plan == plan]
        rest = sum(deferred_at(each, until) for each in its)
        assert rest >= 0
        assert sum(c for key, c in earned.items() if key[1] == plan) + rest == sum(
            to_cents(each.settled if each.closed_at else sum(each.line.cash.values(), ZERO))
            for each in its
        )
    closings = {
        (month_of(each.closed_at), each.line.plan) for each in booked if each.closed_at is not None
    }
    assert {key for key, cents in earned.items() if cents < 0} <= closings
    assert all(each.settled >= 0 for each in booked)
