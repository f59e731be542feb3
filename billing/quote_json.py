"""Questions and answers about prices as JSON: one object in, one object out. Pure.

The shape of a question: ``{"action": "new|renew|upgrade|downgrade|unsubscribe", "at": instant, "plan": code,
"years": n, "free_refunds_used": n, "lines": [line…], "prices": {code: monthly}}``. ``plan`` is read by new, upgrade
and downgrade, ``years`` by new and renew. ``free_refunds`` and ``free_refund_hours`` may change the rule of free
returns, ``longest_years`` the longest term. Amounts are texts in CNY, instants ISO 8601 with an offset.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from billing import proration
from billing.exceptions import PlanNotForSale, QuestionInvalid
from billing.paid_lines import PLAN_RANKS, Line, live_lines, top_lines
from billing.quotes import FREE_RETURN_WITHIN, FREE_RETURNS, LONGEST_TERM, Quote
from core.clock import local
from core.money import CENT, ZERO

METHODS = frozenset({"balance", "alipay", "wechatpay", "bestpay", "transfer", "local"})
KINDS = frozenset({"purchase", "upgrade", "downgrade", "renewal"})
HOUR = timedelta(hours=1)
_MOST = Decimal("999999999.99")
_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
# Instants of a support plan: terms are added to them, and all are shown in Shanghai time.
_YEARS = range(1970, 3000)


def read(text: str) -> Any:
    """Return the question in ``text``. Raises QuestionInvalid for what is no JSON, or gives a name twice."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        raise QuestionInvalid(f"input: not JSON ({error})") from None
    except RecursionError:
        raise QuestionInvalid("input: nested too deeply") from None


def answer(question: Any) -> dict[str, Any]:
    """Return the answer to a question: charge, refund, refund_to, days, explanation and the lines after the action.

    New lines that are charged count as paid from the balance, so that actions can be chained. Raises QuestionInvalid
    and whatever the rules refuse (DomainError).
    """
    asked = _Reader(question, "")
    at = asked.instant("at")
    lines = [_line(row) for row in asked.rows("lines")]
    return quote_as_json(_quote(asked, at, lines))


def instant_asked(question: Any) -> datetime:
    """Return the instant of a question. Raises QuestionInvalid."""
    return _Reader(question, "").instant("at")


def quote_as_json(quote: Quote) -> dict[str, Any]:
    """Return a quote as JSON values."""
    added = {id(line) for line in quote.added} if quote.charge else set()
    return {
        "charge": _money(quote.charge),
        "refund": _money(quote.refund),
        "refund_to": {method: _money(amount) for method, amount in quote.refund_to.items()},
        "voucher_back": _money(quote.voucher_back),
        "coupon_back": _money(quote.coupon_back),
        "free_return": quote.is_free_return,
        "plan": quote.plan,
        "days": quote.days,
        "explanation": [line.as_json() for line in quote.explanation],
        "lines": [line_as_json(_paid(line) if id(line) in added else line) for line in quote.lines],
    }


def _quote(asked: _Reader, at: datetime, lines: list[Line]) -> Quote:
    action = asked.choice("action", {"new", "renew", "upgrade", "downgrade", "unsubscribe"})
    if action == "unsubscribe":
        return proration.quote_unsubscription(
            lines=lines,
            at=at,
            free_returns_used=asked.count("free_refunds_used", default=0),
            free_returns=asked.count("free_refunds", default=FREE_RETURNS),
            free_within=timedelta(
                hours=asked.count("free_refund_hours", default=FREE_RETURN_WITHIN // HOUR)
            ),
        )
    longest = asked.count("longest_years", default=LONGEST_TERM)
    if action == "renew":
        live = live_lines(lines, at)
        plan = top_lines(live)[0].plan if live else ""
        monthly = asked.price(plan) if live else ZERO
        years = asked.count("years", default=1)
        return proration.quote_renewal(
            lines=lines, monthly=monthly, years=years, at=at, longest=longest
        )
    plan = asked.text("plan")
    if PLAN_RANKS.get(plan, 0) == 0:
        raise PlanNotForSale(field="plan")
    monthly = asked.price(plan)
    if action == "new":
        years = asked.count("years", default=1)
        return proration.quote_new(
            plan=plan, monthly=monthly, years=years, at=at, lines=lines, longest=longest
        )
    change = proration.quote_upgrade if action == "upgrade" else proration.quote_downgrade
    return change(lines=lines, plan=plan, monthly=monthly, at=at)


def _line(row: _Reader) -> Line:
    cash = row.amounts("cash", METHODS)
    coupon, voucher = row.amount("coupon", default="0.00"), row.amount("voucher", default="0.00")
    list_amount = row.amount("list")
    if list_amount < coupon + voucher + sum(cash.values(), ZERO):
        raise QuestionInvalid(f"{row.path}list: less than coupon, voucher and cash together")
    starts, ends = row.instant("starts"), row.instant("ends")
    if ends <= starts:
        raise QuestionInvalid(f"{row.path}ends: not after starts")
    return Line(
        plan=row.choice("plan", PLAN_RANKS),
        from_monthly=row.amount("from_monthly", default="0.00"),
        monthly=row.amount("monthly"),
        starts=starts,
        ends=ends,
        paid_days=row.count("paid_days"),
        list_amount=list_amount,
        coupon=coupon,
        voucher=voucher,
        cash=cash,
        kind=row.choice("kind", KINDS, default="purchase"),
        bought=row.instant("bought") if row.has("bought") else None,
        anchor=row.instant("anchor") if row.has("anchor") else None,
        changed=row.flag("changed"),
    )


def line_as_json(line: Line) -> dict[str, Any]:
    """Return a line as JSON values, as a question takes them."""
    shown: dict[str, Any] = {
        "plan": line.plan,
        "kind": line.kind,
        "from_monthly": _money(line.from_monthly),
        "monthly": _money(line.monthly),
        "starts": _instant(line.starts),
        "ends": _instant(line.ends),
        "bought": _instant(line.bought_at),
        "paid_days": line.paid_days,
        "list": _money(line.list_amount),
        "coupon": _money(line.coupon),
        "voucher": _money(line.voucher),
        "cash": {method: _money(amount) for method, amount in line.cash.items()},
    }
    if line.anchor is not None:
        shown["anchor"] = _instant(line.anchor)
    if line.changed:
        shown["changed"] = True
    return shown


def _paid(line: Line) -> Line:
    """Return a new line that is charged as paid from the balance."""
    return replace(line, cash={"balance": line.list_amount}) if line.list_amount else line


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's values by name; which of two of one name counts is nobody's guess."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise QuestionInvalid(f"input: {json.dumps(name)} is given twice")
        values[name] = value
    return values


class _Reader:
    """Reads the values of one JSON object, and names the place of what is wrong."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise QuestionInvalid(f"{path or 'input'}: not an object")
        self._value, self.path = value, path

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def rows(self, name: str) -> list[_Reader]:
        rows = self._value[name] if self.has(name) else []
        if not isinstance(rows, list):
            raise self._wrong(name, "not a list")
        return [_Reader(row, f"{self.path}{name}[{n}].") for n, row in enumerate(rows)]

    def text(self, name: str) -> str:
        value = self._value.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a text is wanted")
        return value

    def choice(self, name: str, choices: Any, default: str | None = None) -> str:
        value = default if default is not None and not self.has(name) else self.text(name)
        if value not in choices:
            raise self._wrong(name, f"one of {', '.join(sorted(choices))} is wanted")
        return value

    def flag(self, name: str) -> bool:
        value = self._value.get(name, False)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false is wanted")
        return value

    def count(self, name: str, default: int | None = None) -> int:
        value = self._value.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100_000:  # noqa: PLR2004
            raise self._wrong(name, "a whole number is wanted")
        return value

    def instant(self, name: str) -> datetime:
        try:
            value = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise self._wrong(name, "an instant like 2023-12-06T10:39:16+08:00 is wanted") from None
        if value.tzinfo is None:
            raise self._wrong(name, "the instant has no offset")
        if value.year not in _YEARS:
            raise self._wrong(name, f"a year from {_YEARS[0]} to {_YEARS[-1]} is wanted")
        return value

    def amount(self, name: str, default: str | None = None) -> Decimal:
        return self._amount(self._value.get(name, default), name)

    def amounts(self, name: str, names: frozenset[str]) -> dict[str, Decimal]:
        values = self._value[name] if self.has(name) else {}
        if not isinstance(values, Mapping) or not names.issuperset(values):
            raise self._wrong(name, f"an object with {', '.join(sorted(names))} is wanted")
        return {key: self._amount(value, f"{name}.{key}") for key, value in values.items()}

    def price(self, plan: str) -> Decimal:
        prices = self._value.get("prices")
        if not isinstance(prices, Mapping) or plan not in prices:
            raise self._wrong("prices", f"the price of {plan} is missing")
        return self._amount(prices[plan], f"prices.{plan}")

    def _amount(self, value: Any, name: str) -> Decimal:
        is_written = isinstance(value, str) and _AMOUNT.fullmatch(value)
        amount = Decimal(value) if is_written else None
        if amount is None or amount > _MOST:
            raise self._wrong(name, 'an amount like "500.00" is wanted')
        if amount != amount.quantize(CENT):
            raise self._wrong(name, "more than two places")
        return amount.quantize(CENT)

    def _wrong(self, name: str, why: str) -> QuestionInvalid:
        return QuestionInvalid(f"{self.path}{name}: {why}")


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _instant(at: datetime) -> str:
    return local(at).isoformat()
