"""What a new term, an upgrade, a downgrade, a renewal and leaving cost or give back (domain.md §2 and §3)."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest

from billing import exceptions as errors
from billing.paid_lines import Line, anchor_of, remaining_days, term_end
from billing.proration import (
    quote_downgrade,
    quote_new,
    quote_renewal,
    quote_unsubscription,
    quote_upgrade,
)
from core.clock import SHANGHAI, add_years
from supportplans.exceptions import SubscriptionAlreadyActive
from tests.rules.paid import paid

PRICES = {
    "lite": Decimal("500.00"),
    "business": Decimal("25000.00"),
    "enterprise": Decimal("50000.00"),
}
START = datetime(2023, 12, 7, 11, 8, 36, tzinfo=SHANGHAI)
DAY = timedelta(days=1)


def instant(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)


def bought(
    plan="lite", years=1, *, at=START, coupon="0.00", voucher="0.00", method="balance", **changed
):
    """Return the line of a purchase whose rest, after coupon and voucher, was paid by ``method``."""
    line = quote_new(plan=plan, monthly=PRICES[plan], years=years, at=at).term
    rest = line.list_amount - Decimal(coupon) - Decimal(voucher)
    cash = {method: rest} if rest else {}
    return replace(line, coupon=Decimal(coupon), voucher=Decimal(voucher), cash=cash, **changed)


def up(lines, plan, at, *, price=None):
    return quote_upgrade(lines=lines, plan=plan, monthly=price or PRICES[plan], at=at)


def down(lines, plan, at, *, price=None):
    return quote_downgrade(lines=lines, plan=plan, monthly=price or PRICES[plan], at=at)


def explained(quote):
    return sum((line.amount for line in quote.explanation), Decimal("0.00"))


# A new term


@pytest.mark.parametrize(
    ("plan", "years", "amount", "days"),
    [
        ("lite", 1, "6000.00", 365),
        ("lite", 2, "12000.00", 730),
        ("lite", 3, "18000.00", 1095),
        ("business", 1, "300000.00", 365),
        ("business", 3, "900000.00", 1095),
        ("enterprise", 1, "600000.00", 365),
        ("enterprise", 2, "1200000.00", 730),
    ],
)
def test_a_term_costs_the_monthly_price_times_its_months(plan, years, amount, days):
    quote = quote_new(plan=plan, monthly=PRICES[plan], years=years, at=START)

    assert (quote.charge, quote.refund, quote.days) == (Decimal(amount), 0, days)
    assert quote.charge.as_tuple().exponent == -2
    assert explained(quote) == quote.charge
    assert quote.term.ends == add_years(START, years)


def test_a_term_shows_its_figures():
    quote = quote_new(plan="business", monthly=PRICES["business"], years=2, at=START)

    assert [line.as_json() for line in quote.explanation] == [
        {"rule": "new_term", "formula": "25000.00 × 24", "amount": "600000.00"}
    ]


@pytest.mark.parametrize("years", [0, -1, 4, 10, True])
def test_other_terms_are_not_offered(years):
    with pytest.raises(errors.TermNotOffered) as refused:
        quote_new(plan="lite", monthly=PRICES["lite"], years=years, at=START)

    assert (refused.value.code, refused.value.field) == ("term_not_offered", "years")


@pytest.mark.parametrize("monthly", ["-0.01", "500.001", "NaN", "Infinity"])
def test_what_is_no_price_is_an_error(monthly):
    with pytest.raises(ValueError, match="not a price"):
        quote_new(plan="lite", monthly=Decimal(monthly), years=1, at=START)


@pytest.mark.parametrize("plan", ["standard", "premium", ""])
def test_only_paid_plans_are_for_sale(plan):
    for ask in (
        lambda: quote_new(plan=plan, monthly=PRICES["lite"], years=1, at=START),
        lambda: up([bought()], plan, START, price=PRICES["lite"]),
        lambda: down([bought("business")], plan, START, price=PRICES["lite"]),
    ):
        with pytest.raises(errors.PlanNotForSale):
            ask()


def test_a_plan_is_bought_only_where_none_runs():
    line = bought()

    with pytest.raises(SubscriptionAlreadyActive):
        quote_new(
            plan="business", monthly=PRICES["business"], years=1, at=START + DAY, lines=[line]
        )
    quote_new(plan="business", monthly=PRICES["business"], years=1, at=line.ends, lines=[line])


# Days


@pytest.mark.parametrize(
    ("at", "days"),
    [
        (START - DAY, 365),  # not started: at most what was paid for
        (START, 365),
        (START + timedelta(seconds=1), 365),  # the term is 366 days long: a leap day lies in it
        (START + DAY + timedelta(seconds=1), 364),
        (instant(2024, 12, 6, 11, 8, 36), 1),
        (instant(2024, 12, 6, 11, 8, 37), 0),
        (instant(2024, 12, 7, 11, 8, 36), 0),
        (instant(2025, 1, 1), 0),
    ],
)
def test_remaining_days_are_full_days_of_elapsed_time(at, days):
    assert remaining_days(bought(), at) == days


# Ends


@pytest.mark.parametrize(("years", "day"), [(1, 28), (2, 28), (3, 28)])
def test_a_term_from_29_february_ends_on_the_28th(years, day):
    ends = quote_new(
        plan="lite", monthly=PRICES["lite"], years=years, at=instant(2024, 2, 29, 9)
    ).term.ends

    assert (ends.year, ends.month, ends.day) == (2024 + years, 2, day)


def test_renewals_find_back_to_29_february():
    lines = [bought(years=1, at=instant(2024, 2, 29, 9))]
    ends = []
    for _ in range(4):
        quote = quote_renewal(lines=lines, monthly=PRICES["lite"], years=1, at=instant(2024, 3, 1))
        lines = paid(quote)
        ends.append(quote.term.ends)

    assert [(end.month, end.day) for end in ends] == [(2, 28), (2, 28), (2, 29), (2, 28)]
    assert all(later.starts == earlier for earlier, later in zip(ends, lines[2:], strict=False))


def test_the_anchor_outlives_a_downgrade():
    lines = [bought("business", at=instant(2024, 2, 29, 9))]
    lines = paid(down(lines, "lite", instant(2024, 6, 1)))

    assert anchor_of(lines) == instant(2024, 2, 29, 9)
    quote = quote_renewal(lines=lines, monthly=PRICES["lite"], years=3, at=instant(2024, 7, 1))
    assert quote.term.ends == instant(2028, 2, 29, 9)


def test_an_end_off_the_anchor_counts_years_from_itself():
    end = instant(2025, 12, 5, 13, 56, 15)

    assert term_end(anchor=instant(2023, 12, 6, 10, 35, 57), last_end=end, years=1) == instant(
        2026, 12, 5, 13, 56, 15
    )


# The guide's figures


def test_lite_to_business_with_730_days_left_costs_588000():
    line = replace(
        bought(years=2),
        starts=instant(2023, 12, 5, 13, 56, 15),
        ends=instant(2025, 12, 5, 13, 56, 15),
    )

    quote = up([line], "business", instant(2023, 12, 6, 10, 39, 16))

    assert (quote.charge, quote.days) == (Decimal("588000.00"), 730)
    assert [line.as_json() for line in quote.explanation] == [
        {"rule": "new_plan_needed", "formula": "300000.00 × 730 ÷ 365", "amount": "600000.00"},
        {"rule": "old_plan_left", "formula": "6000.00 × 730 ÷ 365", "amount": "-12000.00"},
    ]


def test_leaving_on_the_day_of_the_purchase_gives_everything_back():
    quote = quote_unsubscription(lines=[bought(method="alipay")], at=START + timedelta(minutes=5))

    assert (quote.refund, quote.is_free_return) == (Decimal("6000.00"), True)
    assert quote.refund_to == {"alipay": Decimal("6000.00")}
    assert quote.lines == ()


def test_business_with_100_days_left_gives_82191_78_back():
    line = bought("business")

    quote = quote_unsubscription(lines=[line], at=line.ends - 100 * DAY)

    assert (quote.refund, quote.days) == (Decimal("82191.78"), 100)


def test_enterprise_to_business_with_73_days_left_gives_60000_back():
    line = bought("enterprise")

    quote = down([line], "business", line.ends - 73 * DAY)

    assert (quote.refund, quote.charge, quote.days) == (Decimal("60000.00"), 0, 73)
    (kept,) = quote.lines
    assert (kept.plan, kept.monthly, kept.paid_days, kept.list_amount) == (
        "business",
        Decimal("25000.00"),
        73,
        Decimal("60000.00"),
    )
    assert kept.cash == {"balance": Decimal("60000.00")}


def test_a_coupon_is_not_refunded_by_a_downgrade():
    line = bought("business", coupon="270000.00")

    quote = down([line], "lite", line.ends - 300 * DAY)

    assert quote.refund == Decimal("19726.03")
    assert quote.lines[0].cash == {"balance": Decimal("4931.51")}


def test_up_and_straight_down_again_gives_the_charge_back():
    lite = bought(voucher="6000.00")
    upgrade = up([lite], "business", START)
    assert upgrade.charge == Decimal("294000.00")

    quote = down(paid(upgrade), "lite", START)

    assert (quote.refund, quote.refund_to) == (
        Decimal("294000.00"),
        {"balance": Decimal("294000.00")},
    )
    assert [line.voucher for line in quote.lines] == [Decimal("6000.00")]


@pytest.mark.parametrize(
    ("days", "charge", "needed", "left"),
    [(168, "135320.55", "138082.19", "-2761.64"), (1, "805.48", "821.92", "-16.44")],
)
def test_the_shown_parts_of_an_upgrade_add_up(days, charge, needed, left):
    line = bought()

    quote = up([line], "business", line.ends - days * DAY)

    assert quote.charge == Decimal(charge)
    assert [str(step.amount) for step in quote.explanation] == [needed, left]


def test_enterprise_with_98_days_left_gives_161095_89_back():
    line = bought("enterprise")

    assert quote_unsubscription(lines=[line], at=line.ends - 98 * DAY).refund == Decimal(
        "161095.89"
    )


# Upgrades


def test_a_renewed_term_is_upgraded_too_each_with_a_line():
    line = bought()
    lines = paid(quote_renewal(lines=[line], monthly=PRICES["lite"], years=2, at=START + DAY))

    quote = up(lines, "enterprise", line.ends - 100 * DAY)

    assert quote.days == 100 + 730
    assert [(added.paid_days, added.starts, added.ends) for added in quote.added] == [
        (100, line.ends - 100 * DAY, line.ends),
        (730, line.ends, lines[-1].ends),
    ]
    # 49,500 × 12 × 830 ÷ 365
    assert quote.charge == Decimal("1350739.73") == sum(added.list_amount for added in quote.added)
    assert explained(quote) == quote.charge


def test_the_old_plan_counts_at_the_price_it_was_bought_at():
    old = replace(
        bought("business"),
        monthly=Decimal("20000.00"),
        list_amount=Decimal("240000.00"),
        cash={"balance": Decimal("240000.00")},
    )

    quote = up([old], "enterprise", old.ends - 73 * DAY, price=Decimal("60000.00"))

    assert quote.charge == Decimal("96000.00")  # 40,000 × 12 × 73 ÷ 365


def test_an_upgrade_never_costs_less_than_nothing():
    old = bought("business")

    quote = up([old], "enterprise", old.ends - 73 * DAY, price=Decimal("20000.00"))

    assert (quote.charge, quote.added[0].list_amount) == (0, 0)


def test_a_term_that_cost_more_lowers_what_the_others_pay():
    dear = bought("business")
    cheap = quote_renewal(lines=[dear], monthly=Decimal("10000.00"), years=1, at=START + DAY)

    quote = up(paid(cheap), "enterprise", dear.ends - 73 * DAY, price=Decimal("20000.00"))

    # −5,000 × 12 × 73 ÷ 365 + 10,000 × 12
    assert quote.charge == Decimal("108000.00")
    assert [line.list_amount for line in quote.added] == [Decimal("0.00"), Decimal("108000.00")]


def test_without_a_full_day_left_an_upgrade_advises_to_renew():
    line = bought()

    with pytest.raises(errors.RenewFirst):
        up([line], "business", line.ends - DAY + timedelta(seconds=1))
    assert up([line], "business", line.ends - DAY).days == 1


def test_a_future_term_makes_the_last_day_upgradable():
    line = bought()
    lines = paid(quote_renewal(lines=[line], monthly=PRICES["lite"], years=1, at=START))

    quote = up(lines, "business", line.ends - timedelta(hours=1))

    assert quote.days == 365
    assert [added.paid_days for added in quote.added] == [0, 365]


@pytest.mark.parametrize(
    ("have", "want"), [("business", "business"), ("business", "lite"), ("enterprise", "business")]
)
def test_an_upgrade_goes_up(have, want):
    with pytest.raises(errors.PlanNotHigher):
        up([bought(have)], want, START)


@pytest.mark.parametrize(
    ("have", "want"), [("business", "business"), ("lite", "business"), ("lite", "lite")]
)
def test_a_downgrade_goes_down(have, want):
    with pytest.raises(errors.PlanNotLower):
        down([bought(have)], want, START)


@pytest.mark.parametrize("at", [instant(2024, 12, 7, 11, 8, 36), instant(2030, 1, 1)])
def test_after_the_end_nothing_can_be_changed_renewed_or_left(at):
    line = bought("business")
    for ask in (
        lambda: up([line], "enterprise", at),
        lambda: down([line], "lite", at),
        lambda: quote_renewal(lines=[line], monthly=PRICES["business"], years=1, at=at),
        lambda: quote_unsubscription(lines=[line], at=at),
        lambda: quote_unsubscription(lines=[], at=at),
    ):
        with pytest.raises(errors.NothingRuns):
            ask()


# Downgrades


def test_each_line_is_closed_kept_or_cut_by_itself():
    lite = bought()
    lines = paid(up([lite], "enterprise", lite.ends - 200 * DAY))

    quote = down(lines, "business", lite.ends - 100 * DAY)

    kept, cut = quote.lines
    assert (kept.plan, kept.monthly, kept.kind) == ("lite", Decimal("500.00"), "purchase")
    assert (cut.from_monthly, cut.monthly, cut.kind, cut.paid_days) == (
        Decimal("500.00"),
        Decimal("25000.00"),
        "downgrade",
        100,
    )
    # (49,500 − 24,500) × 12 × 100 ÷ 365
    assert quote.refund == Decimal("82191.78")
    assert [line.plan for line in quote.closed] == ["enterprise"]


def test_what_goes_on_is_paid_from_the_voucher_first():
    line = bought("business", voucher="200000.00")  # and 100,000.00 in cash

    quote = down([line], "lite", line.ends - 73 * DAY)

    # Unused: 40,000 of the voucher, 20,000 of the cash; lite needs 1,200.
    assert quote.refund == Decimal("20000.00")
    (kept,) = quote.lines
    assert (kept.list_amount, kept.voucher, dict(kept.cash)) == (
        Decimal("1200.00"),
        Decimal("1200.00"),
        {},
    )


def test_a_voucher_that_does_not_suffice_leaves_the_rest_to_the_cash():
    line = bought("business", voucher="3000.00")  # and 297,000.00 in cash

    quote = down([line], "lite", line.ends - 73 * DAY)

    # Unused: 600 of the voucher, 59,400 of the cash; lite needs 1,200.
    assert [line.as_json() for line in quote.explanation] == [
        {"rule": "unused", "formula": "297000.00 × 73 ÷ 365", "amount": "59400.00"},
        {"rule": "voucher_used", "formula": "3000.00 × 73 ÷ 365", "amount": "600.00"},
        {"rule": "new_plan_needed", "formula": "6000.00 × 73 ÷ 365", "amount": "-1200.00"},
    ]
    assert quote.refund == Decimal("58800.00")
    (kept,) = quote.lines
    assert (kept.voucher, dict(kept.cash)) == (Decimal("600.00"), {"balance": Decimal("600.00")})


def test_a_downgrade_never_charges_what_a_coupon_had_given():
    line = bought("enterprise", coupon="599000.00")  # 1,000.00 in cash

    quote = down([line], "business", line.ends - 73 * DAY)

    assert (quote.charge, quote.refund) == (0, 0)
    (kept,) = quote.lines
    assert (kept.list_amount, dict(kept.cash), kept.coupon) == (
        Decimal("60000.00"),
        {"balance": Decimal("200.00")},
        Decimal("59800.00"),
    )


def test_a_renewal_that_has_not_started_is_refunded_whole():
    line = bought("business")
    renewal = quote_renewal(lines=[line], monthly=PRICES["business"], years=1, at=START + 10 * DAY)

    quote = quote_unsubscription(lines=paid(renewal), at=line.ends - 100 * DAY)

    assert quote.refund == Decimal("382191.78")


def test_a_price_that_has_risen_keeps_lines_below_it():
    line = bought("enterprise")

    quote = down([line], "business", line.ends - 73 * DAY, price=Decimal("60000.00"))

    assert (quote.refund, quote.closed) == (0, ())
    assert [(kept.plan, kept.monthly) for kept in quote.lines] == [
        ("business", Decimal("50000.00"))
    ]


# Seven days


@pytest.mark.parametrize(
    ("after", "free"),
    [(timedelta(0), True), (7 * DAY - timedelta(seconds=1), True), (7 * DAY, False)],
)
def test_seven_days_run_from_the_purchase_to_the_second(after, free):
    line = replace(bought(voucher="1000.00", coupon="500.00"), bought=START + timedelta(seconds=5))

    quote = quote_unsubscription(lines=[line], at=line.bought_at + after)

    assert quote.is_free_return is free
    if free:
        assert (quote.refund, quote.voucher_back, quote.coupon_back) == (
            Decimal("4500.00"),
            Decimal("1000.00"),
            Decimal("500.00"),
        )
    else:
        assert (quote.refund, quote.voucher_back, quote.coupon_back) == (Decimal("4413.70"), 0, 0)


@pytest.mark.parametrize(("used", "free"), [(0, True), (2, True), (3, False), (4, False)])
def test_three_times_per_account(used, free):
    quote = quote_unsubscription(
        lines=[bought(voucher="6000.00")], at=START + DAY, free_returns_used=used
    )

    assert (quote.is_free_return, quote.voucher_back > 0) == (free, free)


def test_what_was_changed_or_renewed_is_not_returned_freely():
    line = bought()
    upgraded = paid(up([line], "business", START))
    renewed = paid(quote_renewal(lines=[line], monthly=PRICES["lite"], years=1, at=START))
    back_again = paid(down(upgraded, "lite", START))

    for lines in (upgraded, renewed, back_again):
        assert quote_unsubscription(lines=lines, at=START + DAY).is_free_return is False


# Refunds by method


def test_a_refund_goes_back_in_the_proportion_of_the_methods():
    line = replace(
        bought("business"), cash={"alipay": Decimal("200000.00"), "balance": Decimal("100000.00")}
    )

    quote = quote_unsubscription(lines=[line], at=line.ends - 100 * DAY)

    assert quote.refund_to == {"alipay": Decimal("54794.52"), "balance": Decimal("27397.26")}
    assert sum(quote.refund_to.values()) == quote.refund


def test_a_leftover_cent_is_tied_by_the_method_s_name():
    line = replace(
        bought(),
        list_amount=Decimal("0.02"),
        cash={"wechatpay": Decimal("0.01"), "alipay": Decimal("0.01")},
    )

    quote = quote_unsubscription(lines=[line], at=line.ends - 182 * DAY)

    assert (quote.refund, quote.refund_to) == (Decimal("0.01"), {"alipay": Decimal("0.01")})


def test_lines_that_share_an_end_are_one_term():
    lines = paid(up([bought()], "business", START))

    with pytest.raises(errors.PlanNotHigher):
        up(lines, "business", START)
    assert isinstance(lines[0], Line)


# What a random life of a plan has found


@pytest.mark.parametrize("is_reversed", [False, True])
def test_the_order_in_which_lines_are_given_does_not_matter(is_reversed):
    """Also where two were bought at one instant."""
    lines = paid(up([bought()], "business", START))
    lines = lines[::-1] if is_reversed else lines

    assert down(lines, "lite", START).refund == Decimal("294000.00")
    assert up(lines, "enterprise", START).charge == Decimal("300000.00")
    assert quote_renewal(lines=lines, monthly=PRICES["business"], years=1, at=START).plan == (
        "business"
    )


def test_years_count_from_the_first_purchase_also_after_its_term():
    first = bought(at=instant(2025, 2, 28, 9), anchor=instant(2024, 2, 29, 9))
    purchase = bought(at=instant(2024, 2, 29, 9))
    renewal = quote_renewal(
        lines=[purchase], monthly=PRICES["lite"], years=1, at=instant(2024, 3, 1)
    )
    by_hand = replace(renewal.term, anchor=None)
    for lines in (paid(renewal)[1:], [by_hand, purchase], [first]):
        quote = quote_renewal(lines=lines, monthly=PRICES["lite"], years=2, at=instant(2025, 6, 1))
        assert quote.term.ends == instant(2028, 2, 29, 9)


def test_no_method_gives_back_more_than_it_brought_in():
    lite = replace(
        bought(years=2, at=instant(2026, 2, 10, 4, 35, 15)),
        list_amount=Decimal("13549.44"),
        cash={"bestpay": Decimal("3854.76"), "transfer": Decimal("9694.68")},
    )
    renewal = replace(
        bought(at=lite.ends, kind="renewal"),
        list_amount=Decimal("383882.28"),
        cash={"alipay": Decimal("383882.28")},
    )

    quote = quote_unsubscription(lines=[lite, renewal], at=instant(2027, 5, 16, 23, 58, 39))

    # 388,875.1569 rounds up; the cent does not go to the renewal, which has no more to give.
    assert quote.refund_to == {
        "alipay": Decimal("383882.28"),
        "bestpay": Decimal("1420.45"),
        "transfer": Decimal("3572.43"),
    }


def test_a_cut_line_carries_what_the_refund_has_left_to_its_methods():
    """The refund's odd cent can go to another method than that of the line for which it was rounded."""

    def part(days: int, *, starts: datetime, method: str) -> Line:
        amount = (Decimal("588000.00") * days / 365).quantize(Decimal("0.01"))
        return Line(
            plan="enterprise",
            from_monthly=Decimal("1000.00"),
            monthly=Decimal("50000.00"),
            starts=starts,
            ends=starts + days * DAY,
            paid_days=days,
            list_amount=amount,
            cash={method: amount},
            kind="upgrade",
        )

    for days, more in product(range(1, 30), range(1, 30)):
        lines = [
            part(days, starts=START, method="wechatpay"),
            part(more, starts=START + days * DAY, method="alipay"),
        ]
        quote = down(lines, "business", START)
        for line in lines:
            ((method, amount),) = line.cash.items()
            carried = sum(
                (new.cash.get(method, Decimal("0.00")) for new in quote.added), Decimal("0.00")
            )
            assert carried + quote.refund_to[method] <= amount
        assert all(
            new.list_amount == new.coupon + sum(new.cash.values()) and new.coupon <= Decimal("0.01")
            for new in quote.added
        )


def test_the_shown_parts_of_a_downgrade_add_up():
    line = bought(coupon="1.01")
    lines = paid(up([line], "enterprise", line.ends - 220 * DAY))

    for days in range(1, 220):
        quote = down(lines, "business", line.ends - days * DAY)
        assert explained(quote) == quote.refund
        cut = [
            replace(lines[0], monthly=Decimal("883.42")),
            replace(lines[1], from_monthly=Decimal("883.42")),
        ]
        quote = down(cut, "lite", line.ends - days * DAY)
        assert explained(quote) == quote.refund


def test_the_line_in_force_after_a_downgrade_has_the_plan_s_name():
    dear = replace(bought(), monthly=Decimal("25000.00"))
    lines = paid(up([dear], "enterprise", START))

    quote = down(lines, "business", START)

    assert [(line.plan, line.monthly) for line in quote.lines] == [
        ("business", Decimal("25000.00"))
    ]


def test_money_of_vouchers_that_does_not_come_back_has_a_step_of_its_own():
    line = bought("business", voucher="100000.00")  # and 200,000.00 in cash
    quote = quote_unsubscription(lines=[line], at=line.ends - 73 * DAY)

    assert [step.as_json() for step in quote.explanation] == [
        {"rule": "unused", "formula": "200000.00 × 73 ÷ 365", "amount": "40000.00"},
        {"rule": "voucher_spent", "formula": "100000.00 × 73 ÷ 365", "amount": "0.00"},
    ]
    assert quote.refund == Decimal("40000.00")
