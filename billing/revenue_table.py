"""How revenue is shown: the sentence and the bars of its chart, the rows of its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.selectors.revenue import SOLD, MonthRevenue, Revenue
from core.charts import Series, StackedBars
from core.clock import local
from core.exports import Cell
from core.money import ZERO, half_up, to_cents
from supportplans.states import PlanCode

BARS = 12
_HIGHEST = 10_000  # a number on a bar has four digits
_YUAN, _THOUSAND, _TEN_THOUSAND = 100, 100_000, 1_000_000  # cents


def plan_labels() -> list[str]:
    """Return the names of the plans, in the order of the columns."""
    return [str(PlanCode(code).label) for code in SOLD]


def revenue_chart(revenue: Revenue) -> StackedBars | None:
    """Return the bars of the last twelve months, or None where nothing was earned in them.

    A plan whose month was reversed below zero has no bar there; the table shows it.
    """
    months = revenue.months[-BARS:]
    highest = max(sum(max(ZERO, part) for part in row.earned.values()) for row in months)
    if not highest:
        return None
    unit, name = _unit(to_cents(Decimal(highest)))
    series = [
        Series(
            str(PlanCode(code).label),
            tuple(half_up(max(0, to_cents(row.earned[code])), unit) for row in months),
        )
        for code in SOLD
    ]
    return StackedBars(
        title=_finding(months),
        categories=tuple(f"{row.month:%Y-%m}" for row in months),
        series=tuple(series),
        unit=name,
    )


def revenue_headers() -> list[str]:
    """Return the heads of the columns of ``revenue_rows``."""
    plans = [_("%(plan)s（元）") % {"plan": label} for label in plan_labels()]
    return [_("月份"), *plans, _("合计（元）"), _("代金券（元）"), _("优惠券（元）")]


def revenue_rows(revenue: Revenue) -> Iterator[list[Cell]]:
    """Yield the months, their sum, and what is deferred."""
    for row in revenue.months:
        yield [_label(row.month), *row.earned.values(), row.total, row.voucher, row.coupon]
    yield [_("合计"), *revenue.earned.values(), revenue.total, revenue.voucher, revenue.coupon]
    until = f"{local(revenue.deferred_at):%Y-%m-%d %H:%M}"
    label = _("递延收入（截至 %(until)s）") % {"until": until}
    yield [label, *revenue.deferred.values(), revenue.deferred_total, None, None]


def _finding(months: Sequence[MonthRevenue]) -> str:
    """Say what was earned in all, and with which plan most of it."""
    total = sum((row.total for row in months), ZERO)
    by_plan = {code: sum((row.earned[code] for row in months), ZERO) for code in SOLD}
    most = max(SOLD, key=lambda code: by_plan[code])
    found = {
        "first": _label(months[0].month),
        "last": _label(months[-1].month),
        "total": f"{total:,.2f}",
        "plan": PlanCode(most).label,
    }
    if total <= ZERO:
        return _("%(first)s 至 %(last)s 确认收入 ¥%(total)s") % found
    share = min(100, half_up(100 * to_cents(by_plan[most]), to_cents(total)))
    return _("%(first)s 至 %(last)s 确认收入 ¥%(total)s，%(plan)s最多，占 %(share)s%%") % {
        **found,
        "share": share,
    }


def _unit(highest: int) -> tuple[int, str]:
    """Return the cents of the unit in which a bar of ``highest`` cents can be labelled, and its name."""
    if highest < _HIGHEST * _YUAN:
        return _YUAN, _("单位：元")
    if highest < _HIGHEST * _THOUSAND:
        return _THOUSAND, _("单位：千元")
    return _TEN_THOUSAND, _("单位：万元")


def _label(month: date) -> str:
    return f"{month:%Y-%m}"
