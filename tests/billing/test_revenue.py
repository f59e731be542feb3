"""Revenue as finance reads it: the database's sums are the rule's, and who may see them."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.paid_lines import Line
from billing.revenue import Booked, by_month, deferred_at, month_after, month_of
from billing.revenue_table import revenue_chart
from billing.selectors.revenue import MOST_MONTHS, SOLD, MonthRevenue, Revenue, revenue_between
from core.clock import SHANGHAI, day_start, now
from core.money import ZERO, from_cents, to_cents
from core.tenancy import scope
from supportplans.models import PaidLine, Plan
from supportplans.states import LineKind
from tests.factories.changes import PlanLife
from tests.factories.supportplans import make_subscription

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2025, 3, 1), date(2026, 2, 1)
NOW = datetime(2026, 2, 14, 9, 30, tzinfo=SHANGHAI)
DAY = timedelta(days=1)


def random_lines(subscription, count: int) -> list[PaidLine]:
    """Return lines that begin, end and are closed around the months that are asked for, some on their very edges."""
    dice = random.Random(20261124)
    plans = list(Plan.objects.filter(code__in=SOLD))
    edges = [day_start(date(2025, month, 1)) for month in range(1, 13)]
    lines = []
    for n in range(count):
        starts = dice.choice(edges) + dice.choice([0, 0, 1]) * timedelta(
            seconds=dice.randrange(-500 * 86_400, 400 * 86_400)
        )
        paid_days = dice.choice([0, 1, 30, 365, 730])
        ends = starts + max(paid_days, 1) * DAY + timedelta(hours=dice.choice([0, 0, 9, 24]))
        bought_at = starts + timedelta(hours=dice.choice([-700, 0, 0, 1, 900]))
        cash = {"balance": dice.randrange(1_000_000), "alipay": dice.randrange(99)}
        closed_at = dice.choice([None, bought_at + dice.randrange(400) * DAY, dice.choice(edges)])
        if closed_at is not None and closed_at < bought_at:
            closed_at = None
        settled = None if closed_at is None else from_cents(dice.randrange(sum(cash.values()) + 1))
        lines.append(
            PaidLine(
                tenant_id=subscription.tenant_id,
                subscription=subscription,
                order_number=f"{n:020}",
                kind=dice.choice(LineKind.values),
                plan=dice.choice(plans),
                monthly=Decimal("500.00"),
                starts=starts,
                ends=ends,
                bought_at=bought_at,
                paid_days=paid_days,
                list_amount=Decimal("99999.00"),
                voucher_amount=from_cents(dice.randrange(9999)),
                coupon_amount=from_cents(dice.randrange(9999)),
                cash={method: f"{from_cents(cents)}" for method, cents in cash.items()},
                closed_at=closed_at,
                settled_amount=settled,
            )
        )
    return PaidLine.objects.bulk_create(lines)


def booked(row: PaidLine) -> Booked:
    line = Line(
        plan=row.plan.code,
        monthly=row.monthly,
        starts=row.starts,
        ends=row.ends,
        paid_days=row.paid_days,
        list_amount=row.list_amount,
        cash={method: Decimal(amount) for method, amount in row.cash.items()},
        bought=row.bought_at,
    )
    return Booked(line, row.closed_at, row.settled_amount or ZERO)


@pytest.mark.parametrize("at", [NOW, NOW + 300 * DAY])
def test_the_database_sums_as_the_rule_does(cast, django_assert_num_queries, at):
    subscription = make_subscription(cast.huachen)
    with scope.staff():
        rows = random_lines(subscription, 400)
        with django_assert_num_queries(1):
            revenue = revenue_between(FIRST, LAST, at)
    end = min(at, day_start(month_after(LAST)))
    lines = [booked(row) for row in rows]
    expected = by_month(lines, end)

    assert [row.month for row in revenue.months] == sorted(
        {date(2025, month, 1) for month in range(3, 13)} | {date(2026, 1, 1), LAST}
    )
    for row in revenue.months:
        for plan in SOLD:
            assert to_cents(row.earned[plan]) == expected.get((row.month, plan), 0), row.month
        bought = [
            each
            for each in rows
            if each.kind != LineKind.DOWNGRADE
            and day_start(row.month) <= each.bought_at < min(end, day_start(month_after(row.month)))
        ]
        assert row.voucher == sum((each.voucher_amount for each in bought), ZERO)
        assert row.coupon == sum((each.coupon_amount for each in bought), ZERO)
    for plan in SOLD:
        assert to_cents(revenue.deferred[plan]) == sum(
            deferred_at(each, end) for each in lines if each.line.plan == plan
        )
    assert (revenue.deferred_at, revenue.total > 0, revenue.deferred_total > 0) == (end, True, True)


@pytest.mark.parametrize(("first", "last"), [(LAST, FIRST), (date(2024, 1, 1), date(2026, 1, 1))])
def test_only_so_many_months_are_summed(first, last):
    with scope.staff(), pytest.raises(ValueError, match=f"1 to {MOST_MONTHS} months"):
        revenue_between(first, last, NOW)


@pytest.fixture
def finance(cast, client_for):
    return client_for(cast.staff["finance"])


@pytest.fixture
def year(cast, time_machine):
    """轻量级 for a year, bought on 1 January 2025 at midnight and left 100 days before its end."""
    start = datetime(2025, 1, 1, tzinfo=SHANGHAI)
    life = PlanLife(cast.huachen, cast.owner)
    time_machine.move_to(start, tick=False)
    life.buy("lite", start)
    time_machine.move_to(start + 265 * DAY, tick=False)
    life.do("unsubscription", start + 265 * DAY)
    time_machine.move_to(start + 300 * DAY, tick=False)
    return life


def page(**chosen: str) -> tuple[str, dict[str, str]]:
    return reverse("billing:finance_revenue"), chosen


@pytest.mark.parametrize("name", ["finance_revenue", "finance_revenue_export"])
def test_finance_and_operators_see_revenue(cast, client_for, name):
    address = reverse(f"billing:{name}")
    for role, status in (("finance", 200), ("operator", 200), ("account_manager", 403)):
        assert client_for(cast.staff[role]).get(address).status_code == status
    assert client_for(cast.owner).get(address).status_code == 404
    assert client_for(cast.staff["finance"]).post(address).status_code == 405


def test_the_page_shows_months_plans_and_what_is_deferred(finance, year, max_queries):
    with max_queries(3):
        answer = finance.get(*page(first="2025-01", last="2025-09"))
    revenue = answer.context["revenue"]
    assert [f"{row.total:.2f}" for row in revenue.months[:2]] == ["509.59", "460.27"]
    assert (revenue.total, revenue.deferred_total) == (Decimal("4356.16"), ZERO)
    text = answer.content.decode()
    assert "2025-01 至 2025-09 确认收入 ¥4,356.16，轻量级最多，占 100%" in text
    assert answer.context["svg"].count("<rect") == 3 + 9
    assert "单位：元" in text
    before = finance.get(*page(first="2025-01", last="2025-01")).context["revenue"]
    assert before.deferred["lite"] == Decimal("5490.41")


def test_where_nothing_was_earned_there_is_no_chart(finance):
    answer = finance.get(*page())
    assert answer.context["chart"] is None
    assert f'value="{month_of(now()):%Y-%m}"' in answer.content.decode()
    assert len(answer.context["revenue"].months) == 12
    assert '<svg class="chart"' not in answer.content.decode()


@pytest.mark.parametrize(
    ("first", "last", "complaint"),
    [
        ("2025-05", "2025-04", "截止月份不能早于起始月份"),
        ("2023-01", "2025-01", "最多查询 24 个月"),
        ("gestern", "", "请按 2026-11 的格式填写月份"),
        ("0001-01", "", "请按 2026-11 的格式填写月份"),
        ("", "9999-12", "请按 2026-11 的格式填写月份"),
    ],
)
def test_a_range_that_makes_no_sense_is_said(finance, first, last, complaint):
    answer = finance.get(*page(first=first, last=last))
    assert complaint in answer.content.decode()
    assert len(answer.context["revenue"].months) == 12
    export = finance.get(reverse("billing:finance_revenue_export"), {"first": first, "last": last})
    assert export.headers["Location"] == reverse("billing:finance_revenue")


@pytest.mark.parametrize(
    ("chosen", "first", "last", "count"),
    [
        ({"first": "2024-12"}, date(2024, 12, 1), date(2025, 10, 1), 11),
        ({"first": "2023-01"}, date(2023, 1, 1), date(2023, 12, 1), 12),
        ({"last": "2024-02"}, date(2023, 3, 1), date(2024, 2, 1), 12),
        ({"first": "2026-01"}, date(2026, 1, 1), date(2026, 1, 1), 1),
        ({"first": "2023-11", "last": "2025-10"}, date(2023, 11, 1), date(2025, 10, 1), 24),
    ],
)
def test_what_is_left_open_of_a_range_follows(finance, year, chosen, first, last, count):
    months = finance.get(*page(**chosen)).context["revenue"].months
    assert (months[0].month, months[-1].month, len(months)) == (first, last, count)


def test_the_export_is_the_same_table(finance, year):
    address = reverse("billing:finance_revenue_export")
    asked = {"first": "2025-08", "last": "2025-09"}
    rows = finance.get(address, asked).content.decode("utf-8-sig").splitlines()
    assert rows[0].startswith("月份,轻量级（元）,")
    assert rows[1] == "2025-08,509.59,0.00,0.00,509.59,0.00,0.00"
    assert rows[3].startswith("合计,")
    assert rows[4] == "递延收入（截至 2025-10-01 00:00）,0.00,0.00,0.00,0.00,,"
    workbook = finance.get(address, {**asked, "format": "xlsx"})
    assert workbook.content.startswith(b"PK")
    assert "2025-08-2025-09.xlsx" in workbook.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("cents", "unit", "bar"),
    [
        (999_949, "单位：元", 9999),
        (1_000_000, "单位：千元", 10),
        (1_000_000_000, "单位：万元", 1000),
    ],
)
def test_bars_are_labelled_with_four_digits(cents, unit, bar):
    earned = {"lite": from_cents(cents), "business": -from_cents(1), "enterprise": ZERO}
    month = MonthRevenue(FIRST, earned, ZERO, ZERO)
    chart = revenue_chart(Revenue([month], dict.fromkeys(SOLD, ZERO), NOW))
    assert (chart.unit, chart.totals()) == (unit, [bar])
