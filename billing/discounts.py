"""What coupons take off and what vouchers and the balance pay of an order (domain.md §4). Pure; amounts in CNY.

Page, API and service ask the same function: ``funds_plan``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.states import CouponKind, OrderType
from core.clock import local
from core.money import ZERO, quantize
from supportplans.states import PlanCode

# What costs something and is a plan. A coupon or a voucher that topped up the balance would have become money.
COUPON_ORDER_TYPES = (OrderType.NEW, OrderType.UPGRADE, OrderType.RENEW)


@dataclass(frozen=True, slots=True)
class CouponTerms:
    """What a coupon takes off, and where. ``value`` is CNY or percent; empty ``plans`` and ``order_types`` mean all."""

    kind: str
    value: Decimal
    valid_from: datetime
    valid_until: datetime
    cap: Decimal | None = None
    min_spend: Decimal = ZERO
    plans: tuple[str, ...] = ()
    order_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Purse:
    """A voucher as an order sees it: ``usable`` is its balance and what this very order already holds of it."""

    key: int
    usable: Decimal
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class FundsPlan:
    """Who pays how much of an order; ``due`` is left for the cashier. The parts sum to the order's amount."""

    coupon: Decimal
    vouchers: tuple[tuple[int, Decimal], ...]
    balance: Decimal
    due: Decimal

    @property
    def voucher(self) -> Decimal:
        """Return what all vouchers pay together."""
        return sum((amount for _key, amount in self.vouchers), ZERO)


def coupon_discount(terms: CouponTerms, amount: Decimal) -> Decimal:
    """Return what the coupon takes off ``amount``: never more than it, a percentage never more than its cap."""
    if terms.kind == CouponKind.FIXED:
        return min(terms.value, amount)
    share = quantize(amount * terms.value / 100)
    return min(share, amount if terms.cap is None else min(terms.cap, amount))


def coupon_refusal(
    terms: CouponTerms, *, order_type: str, plan: str, amount: Decimal, at: datetime
) -> str:
    """Return why the coupon does not apply to such an order at ``at``, in a sentence; an empty text when it does.

    A coupon is valid from its first instant until before its last.
    """
    if elsewhere := _applies_elsewhere(terms, order_type, plan):
        return elsewhere
    if at < terms.valid_from:
        return _("%(from)s 起可用") % {"from": f"{local(terms.valid_from):%Y-%m-%d %H:%M}"}
    if at >= terms.valid_until:
        return _("已于 %(until)s 过期") % {"until": f"{local(terms.valid_until):%Y-%m-%d %H:%M}"}
    if amount < terms.min_spend:
        return _("订单金额满 %(least)s 元可用，还差 %(missing)s 元") % {
            "least": f"{terms.min_spend:,.2f}",
            "missing": f"{terms.min_spend - amount:,.2f}",
        }
    if coupon_discount(terms, amount) <= ZERO:
        return _("本订单没有可优惠的金额")
    return ""


def vouchers_allot(needed: Decimal, purses: Iterable[Purse]) -> tuple[tuple[int, Decimal], ...]:
    """Return ``(key, amount)`` of the vouchers that pay ``needed``: the one that ends first goes first, as far as it
    lasts (ties by key)."""
    parts = []
    for purse in sorted(purses, key=lambda purse: (purse.valid_until, purse.key)):
        part = min(purse.usable, needed)
        if part > ZERO:
            parts.append((purse.key, part))
            needed -= part
    return tuple(parts)


def funds_plan(
    amount: Decimal, *, coupon: CouponTerms | None, purses: Sequence[Purse], balance: Decimal
) -> FundsPlan:
    """Return who pays ``amount``: the coupon lowers it first, then the vouchers pay, then the balance, the rest is due.

    The caller has made sure that the coupon applies; ``balance`` is what may be taken of it, 0.00 for none.
    """
    off = coupon_discount(coupon, amount) if coupon else ZERO
    parts = vouchers_allot(amount - off, purses)
    left = amount - off - sum((part for _key, part in parts), ZERO)
    from_balance = min(left, balance)
    return FundsPlan(off, parts, from_balance, left - from_balance)


def _applies_elsewhere(terms: CouponTerms, order_type: str, plan: str) -> str:
    types = [t for t in COUPON_ORDER_TYPES if not terms.order_types or t in terms.order_types]
    if order_type not in types:
        names = [str(OrderType(code).label) for code in types]
        return _("仅适用于%(types)s订单") % {"types": _("、").join(names)}
    if terms.plans and plan not in terms.plans:
        names = [str(PlanCode(code).label) for code in terms.plans]
        return _("仅适用于%(plans)s") % {"plans": _("、").join(names)}
    return ""
