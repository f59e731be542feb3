"""Giving coupons and vouchers to customers, taking them back, and what a free return gives back (domain.md §4).

Staff grants, keyed: a double click or a repeated line of an import grants once. A coupon's budget is reserved when it
is granted and stays so when it is used; expiry and withdrawal free it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.access import Actor
from accounts.services.audit import audit_record
from accounts.services.sweeps import sweep
from billing import exceptions as errors
from billing.discounts import COUPON_ORDER_TYPES
from billing.locks import lock_coupon_grants, lock_coupons, lock_vouchers
from billing.models import Coupon, CouponGrant, Order, Voucher
from billing.services.holds import coupon_give_back, voucher_uses_end
from billing.states import CouponKind, CouponState, HoldState
from core.clock import local
from core.money import CENT, ZERO
from core.numbering import order_number
from messaging.services import notify
from supportplans.locks import lock_tenant
from supportplans.states import PlanCode

SWEEP_BATCH = 100
MOST_PERCENT = 100


@dataclass(frozen=True)
class FundsReturned:
    """What an order gave back: voucher money in CNY, and the discount of the coupon that is available again."""

    vouchers: Decimal
    coupon: Decimal


@transaction.atomic
def coupon_create(
    *,
    code: str,
    name: str,
    kind: str,
    value: Decimal,
    valid_from: datetime,
    valid_until: datetime,
    cap: Decimal | None = None,
    min_spend: Decimal = ZERO,
    plans: tuple[str, ...] = (),
    order_types: tuple[str, ...] = (),
    budget: Decimal | None = None,
    actor: Actor,
    at: datetime,
) -> Coupon:
    """Lay down the terms of a coupon; amounts in CNY, a percentage's ``value`` in percent off. Raises CouponInvalid."""
    coupon = Coupon(
        code=code.strip(),
        name=name.strip(),
        kind=kind,
        value=value,
        cap=cap if kind == CouponKind.PERCENT else None,
        min_spend=min_spend,
        plans=list(plans),
        order_types=list(order_types),
        valid_from=valid_from,
        valid_until=valid_until,
        budget=budget,
        created_at=at,
        **actor.snapshot(),
    )
    _must_make_sense(coupon, at)
    try:
        with transaction.atomic():
            coupon.save(force_insert=True)
    except IntegrityError as error:
        raise errors.CouponInvalid(errors.CODE_TAKEN, field="code") from error
    _audit("billing.coupon_create", coupon.code, None, actor, at, value=f"{value:.2f}", kind=kind)
    return coupon


@transaction.atomic
def coupon_grant(
    *, coupon_id: int, tenant_id: int, key: str, actor: Actor, at: datetime
) -> CouponGrant:
    """Give the coupon to a customer, who is told; the same ``key`` again returns the same grant.

    Raises IdempotencyKeyReused, CouponOver, CouponBudgetSpent.
    """
    lock_tenant(tenant_id)
    coupon = lock_coupons().get(pk=coupon_id)
    existing = CouponGrant.objects.filter(tenant_id=tenant_id, key=key).first()
    if existing is not None:
        if existing.coupon_id != coupon_id:
            raise errors.IdempotencyKeyReused
        return existing
    if coupon.valid_until <= at:
        raise errors.CouponOver
    if coupon.budget is not None and coupon.reserved + coupon.most > coupon.budget:
        raise errors.CouponBudgetSpent
    Coupon.objects.filter(pk=coupon_id).update(reserved=F("reserved") + coupon.most)
    grant = CouponGrant.objects.create(
        tenant_id=tenant_id, coupon=coupon, key=key, created_at=at, **actor.snapshot()
    )
    _audit("billing.coupon_grant", coupon.code, tenant_id, actor, at)
    notify(
        "billing.coupon_granted",
        key=f"coupon-{grant.pk}",
        audience=["tenant:owner"],
        context={"name": coupon.name, "until": f"{local(coupon.valid_until):%Y-%m-%d %H:%M}"},
        url="/support/coupons/",
        tenant_id=tenant_id,
        at=at,
    )
    return grant


@transaction.atomic
def coupon_withdraw(*, grant_id: int, actor: Actor, at: datetime) -> CouponGrant:
    """Take back a coupon that is neither held nor used and free what it reserved. Raises CouponNotWithdrawable."""
    tenant_id, coupon_id = CouponGrant.objects.values_list("tenant_id", "coupon_id").get(
        pk=grant_id
    )
    lock_tenant(tenant_id)
    coupon = lock_coupons().get(pk=coupon_id)
    grant = lock_coupon_grants().get(pk=grant_id)
    if not grant.can_become(CouponState.WITHDRAWN):
        raise errors.CouponNotWithdrawable
    grant.state = CouponState.WITHDRAWN
    grant.save(update_fields=["state"])
    Coupon.objects.filter(pk=coupon_id).update(reserved=F("reserved") - coupon.most)
    _audit("billing.coupon_withdraw", coupon.code, tenant_id, actor, at)
    return grant


def coupons_expire_due(*, at: datetime) -> int:
    """End available coupons whose validity is over, in batches; return of how many terms. Safe to run twice.

    One that an open order holds ends after the order has let it go.
    """
    over = CouponGrant.objects.filter(state=CouponState.AVAILABLE, coupon__valid_until__lte=at)
    rows = over.order_by("coupon_id").values_list("coupon_id", "coupon__code").distinct()
    return sweep(
        "billing.coupons_expire_due",
        lambda waiting: rows.exclude(coupon_id__in=waiting)[:SWEEP_BATCH],
        lambda coupon_id: coupon_expire(coupon_id=coupon_id, at=at),
        at=at,
    )


@transaction.atomic
def coupon_expire(*, coupon_id: int, at: datetime) -> int:
    """End a batch of the grants of a coupon that is over and free what they reserved; return how many ended."""
    coupon = lock_coupons().get(pk=coupon_id, valid_until__lte=at)
    grants = lock_coupon_grants().filter(coupon=coupon, state=CouponState.AVAILABLE)
    ids = [grant.pk for grant in grants[:SWEEP_BATCH]]
    ended = CouponGrant.objects.filter(pk__in=ids).update(state=CouponState.EXPIRED)
    Coupon.objects.filter(pk=coupon_id).update(reserved=F("reserved") - coupon.most * ended)
    return ended


@transaction.atomic
def voucher_grant(
    *,
    tenant_id: int,
    name: str,
    amount: Decimal,
    valid_from: datetime,
    valid_until: datetime,
    key: str,
    actor: Actor,
    at: datetime,
) -> Voucher:
    """Give a voucher over ``amount`` (CNY) to a customer, who is told; the same ``key`` again returns the same one.

    Raises AmountInvalid, ValidityInvalid, IdempotencyKeyReused.
    """
    if not _is_money(amount) or amount <= ZERO:
        raise errors.AmountInvalid(field="amount")
    if valid_until <= max(valid_from, at):
        raise errors.ValidityInvalid(field="valid_until")
    lock_tenant(tenant_id)
    existing = Voucher.objects.filter(tenant_id=tenant_id, key=key).first()
    if existing is not None:
        if existing.amount != amount:
            raise errors.IdempotencyKeyReused
        return existing
    voucher = Voucher.objects.create(
        tenant_id=tenant_id,
        number=order_number(at),
        name=name.strip(),
        amount=amount,
        balance=amount,
        valid_from=valid_from,
        valid_until=valid_until,
        key=key,
        created_at=at,
        **actor.snapshot(),
    )
    _audit("billing.voucher_grant", voucher.number, tenant_id, actor, at, amount=f"{amount:.2f}")
    notify(
        "billing.voucher_granted",
        key=voucher.number,
        audience=["tenant:owner"],
        context={
            "name": voucher.name,
            "amount": f"{amount:,.2f}",
            "until": f"{local(valid_until):%Y-%m-%d %H:%M}",
        },
        url="/support/vouchers/",
        tenant_id=tenant_id,
        at=at,
    )
    return voucher


@transaction.atomic
def voucher_withdraw(*, voucher_id: int, actor: Actor, at: datetime) -> Voucher:
    """Take back what is left of a voucher; what an open order holds still pays it. Raises VoucherNotWithdrawable."""
    tenant_id = Voucher.objects.values_list("tenant_id", flat=True).get(pk=voucher_id)
    lock_tenant(tenant_id)
    voucher = lock_vouchers().get(pk=voucher_id)
    if voucher.withdrawn_at is not None or voucher.balance == ZERO:
        raise errors.VoucherNotWithdrawable
    voucher.withdrawn_at = at
    voucher.save(update_fields=["withdrawn_at"])
    left = f"{voucher.balance:.2f}"
    _audit("billing.voucher_withdraw", voucher.number, tenant_id, actor, at, amount=left)
    return voucher


@transaction.atomic
def funds_return(*, order: Order, actor: Actor, at: datetime) -> FundsReturned:
    """Give back what a paid order used of coupon and vouchers (a free return, an order that lost a race).

    The caller holds the locks of tenant and order. Run twice, the second time gives back nothing.
    """
    coupon = coupon_return(order=order, at=at)
    vouchers = voucher_return(order=order, at=at)
    if coupon or vouchers:
        back = {"coupon": f"{coupon:.2f}", "vouchers": f"{vouchers:.2f}"}
        _audit("billing.funds_return", order.number, order.tenant_id, actor, at, **back)
    return FundsReturned(vouchers=vouchers, coupon=coupon)


def coupon_return(*, order: Order, at: datetime) -> Decimal:
    """Make the coupon that the order used available again where it is still valid; return its discount in CNY."""
    grant = lock_coupon_grants().filter(order=order, state=CouponState.USED).first()
    if grant is None or at >= grant.coupon.valid_until:
        return ZERO
    discount = grant.amount
    coupon_give_back(grant)
    return discount


def voucher_return(*, order: Order, at: datetime) -> Decimal:
    """Give the vouchers that the order used their money back; return the sum in CNY.

    Their validity does not grow: money of a voucher that is over meanwhile pays nothing any more.
    """
    return voucher_uses_end(order=order, was=HoldState.CAPTURED, to=HoldState.RETURNED, at=at)


def _must_make_sense(coupon: Coupon, at: datetime) -> None:
    """Raises CouponInvalid with the field that is wrong."""
    amounts = {"value": coupon.value, "min_spend": coupon.min_spend}
    amounts |= {"cap": coupon.cap} if coupon.cap is not None else {}
    amounts |= {"budget": coupon.budget} if coupon.budget is not None else {}
    for name, amount in amounts.items():
        if not _is_money(amount) or amount < ZERO:
            raise errors.CouponInvalid(field=name)
    is_percent = coupon.kind == CouponKind.PERCENT
    checks = (
        ("code", not coupon.code),
        ("name", not coupon.name),
        ("kind", coupon.kind not in CouponKind.values),
        ("value", not coupon.value or (is_percent and coupon.value > MOST_PERCENT)),
        ("cap", is_percent and not coupon.cap),
        ("plans", not set(coupon.plans) <= set(PlanCode.values) - {PlanCode.STANDARD.value}),
        ("order_types", not set(coupon.order_types) <= set(COUPON_ORDER_TYPES)),
        ("valid_until", coupon.valid_until <= max(coupon.valid_from, at)),
    )
    for name, is_wrong in checks:
        if is_wrong:
            raise errors.CouponInvalid(field=name)


def _is_money(amount: Decimal) -> bool:
    return amount.is_finite() and amount == amount.quantize(CENT)


def _audit(
    action: str, subject: str, tenant_id: int | None, actor: Actor, at: datetime, **details: str
) -> None:
    audit_record(
        action=action, subject=subject, actor=actor, at=at, tenant_id=tenant_id, details=details
    )
