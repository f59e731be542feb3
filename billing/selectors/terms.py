"""What a change of the running plan stands on, read in one piece: its price is asked for more often than any other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.exceptions import NothingRuns
from billing.paid_lines import Line
from billing.quotes import must_be_for_sale
from billing.selectors.lines import open_lines
from supportplans.exceptions import PriceMissing
from supportplans.models import PaidLine
from supportplans.states import Basis, SubscriptionState

# SQL, because making the same query from the models takes longer than the database does to answer it.
_TERMS = """
SELECT line.*, plan.code AS plan_code, subscription.anchor,
       subscription.plan_id AS current_id, current.code AS current_code,
       asked.id AS asked_id,
       (SELECT price.monthly FROM supportplans_planprice AS price
         WHERE price.plan_id = asked.id AND price.effective_from <= %(at)s
         ORDER BY price.effective_from DESC LIMIT 1) AS asked_monthly
  FROM supportplans_paidline AS line
  JOIN supportplans_plan AS plan ON plan.id = line.plan_id
  JOIN supportplans_subscription AS subscription ON subscription.id = line.subscription_id
  JOIN supportplans_plan AS current ON current.id = subscription.plan_id
  LEFT JOIN supportplans_plan AS asked ON asked.code = %(plan)s
 WHERE line.tenant_id = %(tenant)s AND subscription.tenant_id = %(tenant)s
   AND subscription.state = %(active)s AND subscription.basis = %(paid)s AND subscription.ends > %(at)s
 ORDER BY line.id
"""


@dataclass(frozen=True, slots=True)
class ChangeTerms:
    """The running plan with its open lines, and the plan that is asked for with its monthly list price (CNY)."""

    subscription_id: int
    current_id: int
    current: str
    plan_id: int
    plan: str
    monthly: Decimal
    lines: list[Line]


def change_terms(tenant_id: int, plan_code: str, at: datetime) -> ChangeTerms:
    """Return what a change to ``plan_code`` stands on. Raises NothingRuns, PlanNotForSale, PriceMissing. One query."""
    rows = list(
        PaidLine.objects.raw(
            _TERMS,
            {
                "tenant": tenant_id,
                "plan": plan_code,
                "at": at,
                "active": SubscriptionState.ACTIVE.value,
                "paid": Basis.PAID.value,
            },
        )
    )
    if not rows:
        raise NothingRuns
    must_be_for_sale(plan_code)
    found = vars(rows[0])
    if found["asked_monthly"] is None:
        raise PriceMissing
    return ChangeTerms(
        subscription_id=rows[0].subscription_id,
        current_id=found["current_id"],
        current=found["current_code"],
        plan_id=found["asked_id"],
        plan=plan_code,
        monthly=found["asked_monthly"],
        lines=open_lines(rows, anchor=found["anchor"]),
    )
