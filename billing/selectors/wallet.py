"""Reading what customers own: the balance, its statement, what may be topped up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet, Sum

from billing.models import LedgerAccount, LedgerLeg
from billing.states import AccountKind
from core.clock import SHANGHAI
from core.money import ZERO
from supportplans.selectors.figures import figures_at
from supportplans.states import FigureCode

DECEMBER = 12


@dataclass(frozen=True)
class StatementLine:
    """One posting as the balance sees it: what came or went, and what could be spent afterwards. CNY."""

    leg: LedgerLeg
    balance: Decimal


def balance_of(tenant_id: int) -> Decimal:
    """Return what the customer can spend, in CNY; what open orders hold is not in it."""
    account = LedgerAccount.objects.filter(tenant_id=tenant_id, kind=AccountKind.BALANCE).first()
    return account.balance if account else ZERO


def balances_of(tenant_id: int) -> tuple[Decimal, Decimal]:
    """Return what the customer can spend and what open orders hold, in CNY. One query."""
    kinds = [AccountKind.BALANCE, AccountKind.HELD]
    accounts = LedgerAccount.objects.filter(tenant_id=tenant_id, kind__in=kinds)
    found = dict(accounts.values_list("kind", "balance"))
    return found.get(AccountKind.BALANCE, ZERO), found.get(AccountKind.HELD, ZERO)


def statement_of(tenant_id: int, *, month: date | None = None) -> QuerySet[LedgerLeg]:
    """Return what moved the tenant's spendable balance, newest first; ``month`` is any day of a month in Shanghai."""
    legs = LedgerLeg.objects.filter(tenant_id=tenant_id, account__kind=AccountKind.BALANCE)
    if month is not None:
        first = datetime(month.year, month.month, 1, tzinfo=SHANGHAI)
        next_year, next_month = (
            (month.year + 1, 1) if month.month == DECEMBER else (month.year, month.month + 1)
        )
        legs = legs.filter(
            transaction__created_at__gte=first,
            transaction__created_at__lt=datetime(next_year, next_month, 1, tzinfo=SHANGHAI),
        )
    return legs.select_related("transaction__order").order_by("-id")


def statement_lines(tenant_id: int, legs: Iterable[LedgerLeg]) -> list[StatementLine]:
    """Return consecutive ``legs`` of the statement, newest first, each with the balance after it. One query."""
    rows = list(legs)
    if not rows:
        return []
    upto = LedgerLeg.objects.filter(
        tenant_id=tenant_id, account_id=rows[0].account_id, pk__lte=rows[0].pk
    )
    after = upto.aggregate(total=Sum("amount"))["total"] or ZERO
    lines = []
    for leg in rows:
        lines.append(StatementLine(leg, after))
        after -= leg.amount
    return lines


def top_up_limits(at: datetime) -> tuple[Decimal, Decimal]:
    """Return the least and the most of one top-up in force at ``at``, in CNY. One query."""
    figures = figures_at([FigureCode.TOP_UP_MIN, FigureCode.TOP_UP_MAX], at)
    return figures[FigureCode.TOP_UP_MIN], figures[FigureCode.TOP_UP_MAX]
