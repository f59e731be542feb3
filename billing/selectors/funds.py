"""Reading what can pay an order, and what a customer has of coupons and vouchers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from billing.discounts import FundsPlan, Purse, coupon_discount, coupon_refusal, funds_plan
from billing.models import CouponGrant, Order, Voucher, VoucherUse
from billing.selectors.wallet import balance_of
from billing.states import CouponState, HoldState
from core.clock import local
from core.money import ZERO


@dataclass(frozen=True)
class CouponOption:
    """A coupon in the choice of a payment page; ``reason`` says why it cannot be chosen."""

    grant: CouponGrant
    discount: Decimal
    reason: str
    is_chosen: bool


@dataclass(frozen=True)
class VoucherOption:
    """A voucher in the choice of a payment page. ``pays`` is what it would pay of the order as chosen now."""

    voucher: Voucher
    usable: Decimal
    reason: str
    is_chosen: bool
    pays: Decimal


@dataclass(frozen=True)
class FundsOffer:
    """Everything that can pay an order, and who would pay what."""

    coupons: list[CouponOption]
    vouchers: list[VoucherOption]
    balance: Decimal
    uses_balance: bool
    plan: FundsPlan

    @property
    def coupon_chosen(self) -> bool:
        """Return True if a coupon is chosen."""
        return any(option.is_chosen for option in self.coupons)


def funds_offer(
    order: Order,
    *,
    coupon_grant_id: int | None,
    voucher_ids: Collection[int],
    use_balance: bool,
    at: datetime,
) -> FundsOffer:
    """Return what can pay the order and what the choice would come to; what cannot be used is not chosen. 4 queries."""
    coupons = [
        _coupon_option(order, grant, coupon_grant_id, at) for grant in coupons_usable_by(order)
    ]
    taken = next((option.grant.coupon.terms for option in coupons if option.is_chosen), None)
    vouchers = list(vouchers_usable_by(order, at))
    purses = {purse.key: purse for purse in purses_of(order, vouchers, at)}
    chosen = [p for p in purses.values() if p.key in voucher_ids and p.usable > ZERO]
    own = balance_of(order.tenant_id) + order.balance_amount
    plan = funds_plan(
        order.amount, coupon=taken, purses=chosen, balance=own if use_balance else ZERO
    )
    pays, chosen_keys = dict(plan.vouchers), {purse.key for purse in chosen}
    options = [
        VoucherOption(
            voucher,
            purses[voucher.pk].usable,
            "" if purses[voucher.pk].usable > ZERO else _voucher_reason(voucher),
            voucher.pk in chosen_keys,
            pays.get(voucher.pk, ZERO),
        )
        for voucher in vouchers
    ]
    return FundsOffer(coupons, options, own, use_balance and own > ZERO, plan)


def funds_held(order: Order) -> tuple[int | None, list[int], bool]:
    """Return what the order holds: the coupon's id, the vouchers' ids, whether the balance pays. At most 2 queries."""
    grant = (
        CouponGrant.objects.filter(order=order, state=CouponState.HELD).first()
        if order.coupon_amount
        else None
    )
    uses = VoucherUse.objects.filter(order=order, state=HoldState.HELD)
    voucher_ids = list(uses.values_list("voucher_id", flat=True)) if order.voucher_amount else []
    return grant.pk if grant else None, voucher_ids, order.balance_amount > ZERO


def coupons_usable_by(order: Order) -> QuerySet[CouponGrant]:
    """Return the coupons that are available or held by this order, those that end first first."""
    mine = Q(state=CouponState.AVAILABLE) | Q(state=CouponState.HELD, order=order)
    grants = CouponGrant.objects.filter(mine, tenant_id=order.tenant_id).select_related("coupon")
    return grants.order_by("coupon__valid_until", "pk")


def vouchers_usable_by(order: Order, at: datetime) -> QuerySet[Voucher]:
    """Return the vouchers with money that are not over yet, and those that this order holds, by their end."""
    alive = Q(balance__gt=0, withdrawn_at=None, valid_until__gt=at)
    held = Q(pk__in=VoucherUse.objects.filter(order=order, state=HoldState.HELD).values("voucher"))
    vouchers = Voucher.objects.filter(alive | held, tenant_id=order.tenant_id)
    return vouchers.order_by("valid_until", "pk")


def purses_of(order: Order, vouchers: Iterable[Voucher], at: datetime) -> list[Purse]:
    """Return the vouchers as the rules see them: what is valid now, and what this order holds in any case. 1 query."""
    held = dict(
        VoucherUse.objects.filter(order=order, state=HoldState.HELD).values_list(
            "voucher_id", "amount"
        )
    )
    return [
        Purse(
            voucher.pk,
            (voucher.balance if voucher.is_valid(at) else ZERO) + held.get(voucher.pk, ZERO),
            voucher.valid_until,
        )
        for voucher in vouchers
    ]


def order_plan_code(order: Order) -> str:
    """Return the code of the plan that the order buys; a top-up has none."""
    return order.plan.code if order.plan else ""


def coupon_list_for(tenant_id: int, *, state: str = "") -> QuerySet[CouponGrant]:
    """Return the tenant's coupons, newest first, with their terms and the order that holds or used them."""
    grants = CouponGrant.objects.filter(tenant_id=tenant_id).select_related("coupon", "order")
    return (grants.filter(state=state) if state else grants).order_by("-id")


def voucher_list_for(tenant_id: int) -> QuerySet[Voucher]:
    """Return the tenant's vouchers, newest first."""
    return Voucher.objects.filter(tenant_id=tenant_id).order_by("-id")


def _coupon_option(
    order: Order, grant: CouponGrant, chosen_id: int | None, at: datetime
) -> CouponOption:
    terms = grant.coupon.terms
    reason = (
        ""
        if grant.is_held_by(order)
        else coupon_refusal(
            terms, order_type=order.type, plan=order_plan_code(order), amount=order.amount, at=at
        )
    )
    chosen = grant.pk == chosen_id and not reason
    return CouponOption(grant, coupon_discount(terms, order.amount), reason, chosen)


def _voucher_reason(voucher: Voucher) -> str:
    return _("%(from)s 起可用") % {"from": f"{local(voucher.valid_from):%Y-%m-%d %H:%M}"}
