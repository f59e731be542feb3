"""How prices of changes are shown: the equation of the design, the steps behind it, what is different afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.explanation import ExplanationLine
from billing.quotes import Quote
from core.money import ZERO
from supportplans.models import Entitlement, Plan, Subscription
from supportplans.selectors.catalogue import comparison_matrix
from supportplans.selectors.subscriptions import DAY

RULES: dict[str, str | Promise] = {
    "new_term": _("新购费用"),
    "renew_term": _("续订费用"),
    "new_plan_needed": _("剩余时间新计划所需费用"),
    "old_plan_left": _("老计划结余费用"),
    "unused": _("老计划结余费用"),
    "voucher_used": _("代金券结余抵扣"),
    "voucher_spent": _("代金券支付部分已消费，不退还"),
    "line_kept": _("沿用不变的付费明细"),
    "free_return": _("七天无理由退订，全额退还"),
}

# What a downgrade has left: cash, and what vouchers pay of the new plan.
LEFT = ("unused", "voucher_used")


@dataclass(frozen=True)
class Term:
    """One of the three figures of the equation."""

    label: str | Promise
    amount: Decimal
    formula: str | Promise


@dataclass(frozen=True)
class Difference:
    """A service that the two levels give differently."""

    name: str
    before: Entitlement
    after: Entitlement


def rule_label(rule: str) -> str:
    """Return what a step of the arithmetic is called."""
    return str(RULES.get(rule, rule))


def equation(quote: Quote, before: Plan, after: Plan) -> list[Term]:
    """Return the equation of an upgrade (needed − left = charge) or a downgrade (left − needed = refund)."""
    needs = gettext("剩余时间%(plan)s所需费用") % {"plan": after}
    has = gettext("%(plan)s结余费用") % {"plan": before}
    yearly, paid = gettext("年费 %(formula)s 天"), gettext("已付 %(formula)s 天")
    needed = _sum(quote, "new_plan_needed")
    if quote.action == "upgrade":
        left = -_sum(quote, "old_plan_left")
        return [
            Term(needs, needed, _formula(quote, "new_plan_needed", sentence=yearly)),
            Term(has, left, _formula(quote, "old_plan_left", sentence=yearly)),
            Term(_("需补交费用"), quote.charge, _("四舍五入到分，以实收为准")),
        ]
    return [
        Term(has, _sum(quote, *LEFT), _formula(quote, *LEFT, sentence=paid)),
        Term(needs, -needed, _formula(quote, "new_plan_needed", sentence=yearly)),
        Term(_("应退费用"), quote.refund, _("四舍五入到分，以实收为准")),
    ]


def has_steps(quote: Quote) -> bool:
    """Return True if there is more arithmetic than the equation's three figures show."""
    return len(quote.explanation) > 2  # noqa: PLR2004  (one term: what is needed and what is left)


def days_used(subscription: Subscription, at: datetime) -> int:
    """Return the full days of the subscription that have passed."""
    return max(0, (at - subscription.starts) // DAY)


def differences(before: Plan, after: Plan) -> list[Difference]:
    """Return the services that the two plans give differently. Two queries."""
    found = []
    for group in comparison_matrix([before, after]):
        for row in group.rows:
            old, new = row.cells
            if (old.kind, old.value) != (new.kind, new.value):
                found.append(Difference(row.name, old, new))
    return found


def _lines(quote: Quote, rules: Sequence[str]) -> list[ExplanationLine]:
    return [line for line in quote.explanation if line.rule in rules]


def _sum(quote: Quote, *rules: str) -> Decimal:
    return sum((line.amount for line in _lines(quote, rules)), ZERO)


def _formula(quote: Quote, *rules: str, sentence: str) -> str:
    formula = " + ".join(line.formula for line in _lines(quote, rules))
    return sentence % {"formula": formula} if formula else "0.00"
