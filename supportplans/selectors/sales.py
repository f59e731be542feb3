"""What a plan is sold under, read in one piece for whoever places an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.rows import select_rows
from supportplans.exceptions import FigureMissing, PriceMissing
from supportplans.models import Agreement, Plan
from supportplans.selectors.figures import hours_of
from supportplans.states import FigureCode

_TERMS = """
SELECT plan.*, price.monthly, agreement.id AS agreement_id, agreement.version AS agreement_version,
       hours.value AS order_hours, years.value AS term_years
  FROM supportplans_plan AS plan
  LEFT JOIN LATERAL (SELECT monthly FROM supportplans_planprice
                      WHERE plan_id = plan.id AND effective_from <= %(at)s
                      ORDER BY effective_from DESC LIMIT 1) AS price ON true
  JOIN LATERAL (SELECT id, version FROM supportplans_agreement
                 WHERE effective_from <= %(at)s
                 ORDER BY effective_from DESC LIMIT 1) AS agreement ON true
  LEFT JOIN LATERAL (SELECT value FROM supportplans_figure
                      WHERE code = %(order_hours)s AND effective_from <= %(at)s
                      ORDER BY effective_from DESC LIMIT 1) AS hours ON true
  LEFT JOIN LATERAL (SELECT value FROM supportplans_figure
                      WHERE code = %(term_years)s AND effective_from <= %(at)s
                      ORDER BY effective_from DESC LIMIT 1) AS years ON true
 WHERE plan.code = %(plan)s
"""


@dataclass(frozen=True, slots=True)
class SaleTerms:
    """A plan with its monthly list price (CNY), the agreement in force, how long an order can be paid, and the longest
    term in years."""

    plan: Plan
    monthly: Decimal
    agreement: Agreement
    order_window: timedelta
    longest: int


def sale_terms(plan_code: str, at: datetime) -> SaleTerms:
    """Return what a plan is sold under at ``at``. Raises PriceMissing, FigureMissing. One query."""
    figures = (FigureCode.ORDER_HOURS, FigureCode.TERM_YEARS)
    asked = {"plan": plan_code, "at": at, **{code.value: code.value for code in figures}}
    found = select_rows(Plan, _TERMS, asked)
    terms: dict[str, Any] = vars(found[0]) if found else {"monthly": None}
    if terms["monthly"] is None:
        raise PriceMissing
    if missing := [code for code in figures if terms[code.value] is None]:
        raise FigureMissing(", ".join(missing))
    return SaleTerms(
        plan=found[0],
        monthly=terms["monthly"],
        # Without its texts, which are long.
        agreement=Agreement(pk=terms["agreement_id"], version=str(terms["agreement_version"])),
        order_window=hours_of(terms["order_hours"]),
        longest=int(terms["term_years"]),
    )
