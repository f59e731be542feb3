"""What holds for every life of a subscription: money is conserved, nothing is negative, order does not matter."""

from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from billing.allocation import spread_funds
from billing.paid_lines import PLAN_RANKS, Line, live_lines, remaining_days, top_lines
from billing.proration import (
    quote_downgrade,
    quote_new,
    quote_renewal,
    quote_unsubscription,
    quote_upgrade,
)
from billing.quotes import LONGEST_TERM, Quote
from core.clock import SHANGHAI
from core.exceptions import DomainError
from core.money import ZERO
from tests.rules.paid import paid

PLANS = ("lite", "business", "enterprise")
METHODS = ("alipay", "balance", "bestpay", "transfer", "wechatpay")
FUNDS = ("coupon", "voucher", *METHODS)
CENT = Decimal("0.01")
starts = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001  (the strategy adds the zone)
    max_value=datetime(2028, 12, 31),  # noqa: DTZ001
    timezones=st.just(SHANGHAI),
)
prices = st.tuples(
    st.integers(1, 90_000), st.integers(90_001, 4_000_000), st.integers(4_000_001, 9_000_000)
).map(lambda cents: {plan: Decimal(c) / 100 for plan, c in zip(PLANS, cents, strict=True)})
actions = st.lists(
    st.tuples(
        st.sampled_from(["up", "down", "renew"]),
        st.sampled_from(PLANS),
        st.integers(1, LONGEST_TERM),
        st.integers(0, 200 * 86_400),  # seconds since the last action
        st.lists(st.integers(0, 100), min_size=len(FUNDS), max_size=len(FUNDS)),
    ),
    max_size=6,
)


def funds_of(charge: Decimal, weights: list[int]) -> dict[str, Decimal]:
    """Return an order's funds: the charge, split by ``weights`` over coupon, voucher and methods."""
    from core.money import split_cents, to_cents

    weights = weights if any(weights) else [1] * len(weights)
    parts = split_cents(to_cents(charge), dict(zip(FUNDS, weights, strict=True)))
    return {name: Decimal(cents) / 100 for name, cents in parts.items()}


def cash_of(lines) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for line in lines:
        for method, amount in line.cash.items():
            total[method] = total.get(method, ZERO) + amount
    return total


def act(
    lines: list[Line], action: str, plan: str, years: int, at: datetime, prices_now
) -> Quote | None:
    """Return the quote of an action, or None where the rules refuse it."""
    try:
        if action == "up":
            return quote_upgrade(lines=lines, plan=plan, monthly=prices_now[plan], at=at)
        if action == "down":
            return quote_downgrade(lines=lines, plan=plan, monthly=prices_now[plan], at=at)
        current = top_lines(live_lines(lines, at))
        monthly = prices_now[current[0].plan] if current else Decimal("1.00")
        return quote_renewal(lines=lines, monthly=monthly, years=years, at=at)
    except DomainError:
        return None


def must_be_sound(line: Line) -> None:
    assert line.list_amount == line.coupon + line.voucher + sum(line.cash.values(), ZERO)
    assert min(line.list_amount, line.coupon, line.voucher, *line.cash.values(), ZERO) == ZERO
    assert line.paid_days >= 0
    assert line.ends > line.starts


@given(
    plan=st.sampled_from(PLANS),
    years=st.integers(1, LONGEST_TERM),
    start=starts,
    first=prices,
    second=prices,
    weights=st.lists(st.integers(0, 100), min_size=len(FUNDS), max_size=len(FUNDS)),
    life=actions,
)
def test_money_is_conserved_through_every_life(plan, years, start, first, second, weights, life):
    """Paid = consumed + kept + refunded, per method, after each step; no refund exceeds what was paid and not refunded."""
    bought = quote_new(plan=plan, monthly=first[plan], years=years, at=start)
    lines = paid(bought, funds_of(bought.charge, weights))
    came = cash_of(lines)
    went: dict[str, Decimal] = {}
    at = start
    for action, target, term, pause, shares in life:
        at += timedelta(seconds=pause)
        quote = act(lines, action, target, term, at, second)
        if quote is None:
            continue
        assert min(quote.charge, quote.refund) == ZERO
        assert sum((step.amount for step in quote.explanation), ZERO) == quote.charge + quote.refund
        assert sum(quote.refund_to.values(), ZERO) == quote.refund
        held = cash_of(lines)
        funds = funds_of(quote.charge, shares)
        lines = paid(quote, funds)
        for method, amount in quote.refund_to.items():
            went[method] = went.get(method, ZERO) + amount
            assert cash_of(quote.added).get(method, ZERO) + amount <= held[method]
        for method, amount in cash_of(quote.added if quote.charge == ZERO else ()).items():
            assert amount <= cash_of(quote.closed)[method]
        for method in METHODS:
            came[method] = came.get(method, ZERO) + funds.get(method, ZERO)
        for line in lines:
            must_be_sound(line)
        assert {line.plan for line in top_lines(live_lines(lines, at))} == {quote.plan}
    quote = (
        quote_unsubscription(lines=lines, at=at, free_returns_used=3)
        if live_lines(lines, at)
        else None
    )
    if quote is not None:
        for method, amount in quote.refund_to.items():
            went[method] = went.get(method, ZERO) + amount
        assert quote.lines == ()
    assert all(went[method] <= came[method] for method in went)


@given(
    start=starts,
    cents=prices,
    plan=st.sampled_from(PLANS[:2]),
    after=st.integers(0, 300 * 86_400),
    weights=st.lists(st.integers(0, 100), min_size=len(FUNDS), max_size=len(FUNDS)),
)
def test_up_and_straight_down_again_costs_nothing(start, cents, plan, after, weights):
    """Whatever was paid with what: all cash of the upgrade comes back (domain.md §3)."""
    bought = quote_new(plan=plan, monthly=cents[plan], years=1, at=start)
    lines = paid(bought, funds_of(bought.charge, weights))
    at = start + timedelta(seconds=after)
    upgrade = quote_upgrade(lines=lines, plan="enterprise", monthly=cents["enterprise"], at=at)
    funds = funds_of(
        upgrade.charge, [0, 0, *weights[2:]] if any(weights[2:]) else [0, 0, 1, 0, 0, 0, 0]
    )

    quote = quote_downgrade(lines=paid(upgrade, funds), plan=plan, monthly=cents[plan], at=at)

    assert quote.refund == upgrade.charge
    assert quote.refund_to == {name: amount for name, amount in sorted(funds.items()) if amount}
    assert [(line.monthly, line.cash, line.voucher) for line in quote.lines] == [
        (line.monthly, line.cash, line.voucher) for line in lines
    ]


@given(start=starts, cents=prices, after=st.integers(0, 360 * 86_400))
def test_two_steps_up_cost_what_one_does(start, cents, after):
    """At one instant the way does not matter, but for each step's own rounding."""
    at = start + timedelta(seconds=after)
    lines = paid(quote_new(plan="lite", monthly=cents["lite"], years=1, at=start))
    step = quote_upgrade(lines=lines, plan="business", monthly=cents["business"], at=at)
    steps = (
        step.charge
        + quote_upgrade(
            lines=paid(step), plan="enterprise", monthly=cents["enterprise"], at=at
        ).charge
    )
    leap = quote_upgrade(lines=lines, plan="enterprise", monthly=cents["enterprise"], at=at).charge

    assert abs(steps - leap) <= CENT


@given(start=starts, cents=prices, after=st.integers(0, 360 * 86_400))
def test_two_steps_down_give_back_what_one_does(start, cents, after):
    at = start + timedelta(seconds=after)
    lines = paid(quote_new(plan="enterprise", monthly=cents["enterprise"], years=1, at=start))
    step = quote_downgrade(lines=lines, plan="business", monthly=cents["business"], at=at)
    steps = (
        step.refund
        + quote_downgrade(lines=list(step.lines), plan="lite", monthly=cents["lite"], at=at).refund
    )
    leap = quote_downgrade(lines=lines, plan="lite", monthly=cents["lite"], at=at).refund

    assert abs(steps - leap) <= CENT


@given(
    start=starts,
    cents=prices,
    plan=st.sampled_from(PLANS),
    days=st.tuples(st.integers(0, 800), st.integers(0, 800)),
)
def test_leaving_later_never_gives_more_back(start, cents, plan, days):
    early, late = sorted(days)
    lines = paid(quote_new(plan=plan, monthly=cents[plan], years=3, at=start))
    refunds = [
        quote_unsubscription(
            lines=lines, at=start + timedelta(days=n, seconds=1), free_returns_used=3
        ).refund
        for n in (early, late)
    ]

    assert refunds[0] >= refunds[1] >= ZERO
    assert refunds[0] <= sum(cash_of(lines).values())


@given(
    start=starts,
    cents=prices,
    plan=st.sampled_from(PLANS),
    years=st.integers(1, LONGEST_TERM),
    after=st.integers(0, 1_200 * 86_400),
)
def test_days_are_counted_between_nothing_and_what_was_paid_for(start, cents, plan, years, after):
    line = quote_new(plan=plan, monthly=cents[plan], years=years, at=start).term
    at = start + timedelta(seconds=after)

    days = remaining_days(line, at)

    assert 0 <= days <= line.paid_days
    assert days == 0 or at + timedelta(days=days) <= line.ends
    assert days == line.paid_days or at + timedelta(days=days + 1) > line.ends


@given(
    amounts=st.lists(st.integers(0, 10**7).map(lambda n: Decimal(n) / 100), min_size=1, max_size=5),
    weights=st.lists(st.integers(0, 100), min_size=len(FUNDS), max_size=len(FUNDS)),
)
def test_funds_are_spread_over_lines_to_the_cent(amounts, weights):
    total = sum(amounts, ZERO)
    assume(total > 0)
    funds = funds_of(total, weights)

    spread = spread_funds(amounts, funds)

    assert [sum(parts.values(), ZERO) for parts in spread] == amounts
    assert {name: sum((parts[name] for parts in spread), ZERO) for name in funds} == funds
    assert all(amount >= 0 for parts in spread for amount in parts.values())


def test_the_ranks_are_the_catalogue_s():
    from supportplans.states import PlanCode

    assert list(PLAN_RANKS) == [code.value for code in PlanCode]
