"""What an open order keeps of its customer's coupon, vouchers and balance (domain.md §4).

Callers hold the locks of tenant and order, and of the order's attempts if they are to be closed; what is locked here
follows in the portal's lock order: coupon grant → voucher → ledger. Money changes by one database operation, and the
database refuses a voucher's balance below 0.00 even if two orders race.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, QuerySet

from accounts.access import Actor
from billing import exceptions as errors
from billing.discounts import FundsPlan, Purse, coupon_discount, coupon_refusal, funds_plan
from billing.locks import lock_coupon_grants, lock_voucher_uses, lock_vouchers
from billing.models import CouponGrant, Order, Voucher, VoucherUse
from billing.selectors.funds import order_plan_code, purses_of
from billing.selectors.wallet import balance_of
from billing.services.history import MoveNotAllowed
from billing.services.ledger import balance_hold, hold_capture, hold_release
from billing.states import CouponState, HoldState, OrderType
from core.money import ZERO


@dataclass(frozen=True)
class Choice:
    """What the customer chose, locked and found usable, and what each part pays."""

    grant: CouponGrant | None
    plan: FundsPlan


def funds_choose(
    *,
    order: Order,
    coupon_grant_id: int | None,
    voucher_ids: Sequence[int],
    use_balance: bool,
    at: datetime,
) -> Choice:
    """Lock the chosen coupon and vouchers, check them and work out who pays what. Writes nothing.

    Raises CouponNotApplicable, VoucherNotUsable, TopUpByCashierOnly.
    """
    if order.type == OrderType.TOP_UP and (coupon_grant_id or voucher_ids or use_balance):
        raise errors.TopUpByCashierOnly
    grant = _locked_grant(order, coupon_grant_id, at) if coupon_grant_id else None
    purses = _locked_purses(order, voucher_ids, at) if voucher_ids else []
    own = balance_of(order.tenant_id) + order.balance_amount if use_balance else ZERO
    terms = grant.coupon.terms if grant else None
    return Choice(grant, funds_plan(order.amount, coupon=terms, purses=purses, balance=own))


def funds_are(order: Order, choice: Choice) -> bool:
    """Return True if the order holds exactly this already."""
    held = _uses(order, HoldState.HELD).values_list("voucher_id", "amount")
    return (
        choice.plan.balance == order.balance_amount
        and choice.plan.coupon == order.coupon_amount
        and (choice.grant is None or choice.grant.is_held_by(order))
        and dict(choice.plan.vouchers) == (dict(held) if order.voucher_amount else {})
    )


def funds_hold(*, order: Order, choice: Choice, actor: Actor, at: datetime) -> None:
    """Keep what was chosen for the order, which holds nothing now; the caller writes the order's amounts."""
    plan = choice.plan
    # An earlier choice of this order is over for good: only the last one may be taken up again (funds_hold_again).
    earlier = CouponGrant.objects.filter(order=order, state=CouponState.AVAILABLE)
    earlier.update(order=None)
    if choice.grant is not None:
        choice.grant.refresh_from_db(fields=["state", "order"])
        _grant_move(choice.grant, to=CouponState.HELD, order=order, amount=plan.coupon)
    for voucher_id, amount in plan.vouchers:
        voucher_hold(order=order, voucher_id=voucher_id, amount=amount, at=at)
    if plan.balance > ZERO:
        balance_hold(order=order, amount=plan.balance, actor=actor, at=at)
    order.coupon_amount, order.voucher_amount = plan.coupon, plan.voucher
    order.balance_amount = plan.balance


def voucher_hold(*, order: Order, voucher_id: int, amount: Decimal, at: datetime) -> VoucherUse:
    """Keep ``amount`` (CNY) of a voucher for an open order. Raises VoucherNotUsable when it has less."""
    voucher = lock_vouchers().get(pk=voucher_id)
    if voucher.balance < amount:
        raise errors.VoucherNotUsable(field="vouchers")
    Voucher.objects.filter(pk=voucher_id).update(balance=F("balance") - amount)
    return VoucherUse.objects.create(
        tenant_id=order.tenant_id, voucher=voucher, order=order, amount=amount, created_at=at
    )


def funds_release(*, order: Order, actor: Actor, at: datetime) -> None:
    """Give back everything that the order holds. The order's own amounts stay: they say what it was to be paid with."""
    if order.coupon_amount > ZERO:
        for grant in lock_coupon_grants().filter(order=order, state=CouponState.HELD):
            _grant_move(grant, to=CouponState.AVAILABLE, order=order, amount=ZERO)
    if order.voucher_amount > ZERO:
        voucher_uses_end(order=order, was=HoldState.HELD, to=HoldState.RELEASED, at=at)
    hold_release(order=order, actor=actor, at=at)


def funds_capture(*, order: Order, actor: Actor, at: datetime) -> None:
    """Spend everything that the order holds: it is paid."""
    if order.coupon_amount > ZERO:
        for grant in lock_coupon_grants().filter(order=order, state=CouponState.HELD):
            _grant_move(grant, to=CouponState.USED, order=order, amount=grant.amount)
    if order.voucher_amount > ZERO:
        voucher_uses_end(order=order, was=HoldState.HELD, to=HoldState.CAPTURED, at=at)
    if order.balance_amount > ZERO:
        hold_capture(order=order, actor=actor, at=at)


def funds_hold_again(*, order: Order, actor: Actor, at: datetime) -> bool:
    """Hold anew what an order held when it expired: its payment was in time after all. False when something of it has
    been used otherwise meanwhile; then nothing was written."""
    grant = None
    if order.coupon_amount > ZERO:
        released = lock_coupon_grants().filter(order=order, state=CouponState.AVAILABLE)
        grant = released.first()
        if (
            grant is None
            or coupon_discount(grant.coupon.terms, order.amount) != order.coupon_amount
        ):
            return False
    parts = _released_vouchers(order) if order.voucher_amount > ZERO else {}
    if sum(parts.values(), ZERO) != order.voucher_amount:
        return False
    if order.balance_amount > balance_of(order.tenant_id):
        return False
    plan = FundsPlan(order.coupon_amount, tuple(parts.items()), order.balance_amount, order.due)
    if grant is not None:
        _grant_move(grant, to=CouponState.HELD, order=order, amount=plan.coupon)
    funds_hold(order=order, choice=Choice(None, plan), actor=actor, at=at)
    return True


def voucher_uses_end(*, order: Order, was: HoldState, to: HoldState, at: datetime) -> Decimal:
    """Move the order's uses of vouchers on; released and returned money goes back. Return the sum in CNY."""
    vouchers = list(lock_vouchers().filter(pk__in=_uses(order, was).values("voucher_id")))
    uses = lock_voucher_uses().filter(order=order, state=was, voucher__in=vouchers)
    total = ZERO
    for use in uses:
        if to != HoldState.CAPTURED:
            Voucher.objects.filter(pk=use.voucher_id).update(balance=F("balance") + use.amount)
        use.state, use.ended_at = to, at
        use.save(update_fields=["state", "ended_at"])
        total += use.amount
    return total


def coupon_give_back(grant: CouponGrant) -> None:
    """Make a used coupon available again. The caller has locked it."""
    _grant_move(grant, to=CouponState.AVAILABLE, order=None, amount=ZERO)


def _locked_grant(order: Order, grant_id: int, at: datetime) -> CouponGrant:
    """Return the chosen coupon, which the order may use. One that it holds already stays usable to its end."""
    grant = lock_coupon_grants().filter(pk=grant_id, tenant_id=order.tenant_id).first()
    if grant is None:
        raise errors.CouponNotApplicable(field="coupon")
    if grant.is_held_by(order):
        return grant
    if grant.state != CouponState.AVAILABLE:
        raise errors.CouponNotApplicable(field="coupon")
    reason = coupon_refusal(
        grant.coupon.terms,
        order_type=order.type,
        plan=order_plan_code(order),
        amount=order.amount,
        at=at,
    )
    if reason:
        raise errors.CouponNotApplicable(reason, field="coupon")
    return grant


def _locked_purses(order: Order, voucher_ids: Sequence[int], at: datetime) -> list[Purse]:
    """Return the chosen vouchers. What the order holds of one already stays usable to the order's end."""
    wanted = set(voucher_ids)
    vouchers = list(lock_vouchers().filter(tenant_id=order.tenant_id, pk__in=wanted))
    purses = [purse for purse in purses_of(order, vouchers, at) if purse.usable > ZERO]
    if len(purses) != len(wanted):
        raise errors.VoucherNotUsable(field="vouchers")
    return purses


def _released_vouchers(order: Order) -> dict[int, Decimal]:
    """Return what the vouchers paid that were released last, when the order died, as far as they still can."""
    released = list(_uses(order, HoldState.RELEASED).order_by("-ended_at", "pk"))
    last = [use for use in released if use.ended_at == released[0].ended_at]
    parts = {use.voucher_id: use.amount for use in last}
    vouchers = lock_vouchers().filter(pk__in=parts, withdrawn_at=None)
    able = {voucher.pk for voucher in vouchers if voucher.balance >= parts[voucher.pk]}
    return {voucher_id: amount for voucher_id, amount in parts.items() if voucher_id in able}


def _uses(order: Order, state: HoldState) -> QuerySet[VoucherUse]:
    return VoucherUse.objects.filter(tenant_id=order.tenant_id, order=order, state=state)


def _grant_move(
    grant: CouponGrant, *, to: CouponState, order: Order | None, amount: Decimal
) -> None:
    if not grant.can_become(to):
        raise MoveNotAllowed(f"coupon {grant.state} → {to}")
    grant.state, grant.order, grant.amount = to, order, amount
    grant.save(update_fields=["state", "order", "amount"])
