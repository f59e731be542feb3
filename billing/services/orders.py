"""Placing, paying from the balance, ending and fulfilling orders (domain.md §2–§4).

Lock order: tenant → subscription → order → payment → ledger. Losing a race is a normal outcome.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.access import SYSTEM, Actor
from billing import exceptions as errors
from billing.locks import lock_orders, lock_payments
from billing.models import AgreementAcceptance, Order, OrderEvent
from billing.proration import quote_new
from billing.selectors.orders import order_open_for
from billing.selectors.payments import live_payments
from billing.selectors.wallet import balance_of
from billing.services.history import order_move, order_touch
from billing.services.ledger import balance_hold, hold_capture, hold_release
from billing.states import LIVE_PAYMENT_STATES, OrderState, OrderType, PaymentState
from core.jobs import enqueue
from core.money import ZERO
from core.numbering import order_number
from messaging.services import notify
from supportplans.exceptions import SubscriptionAlreadyActive
from supportplans.locks import lock_tenant
from supportplans.selectors.catalogue import agreement_at, price_at
from supportplans.selectors.figures import figure_at, hours_of
from supportplans.selectors.subscriptions import subscription_current
from supportplans.states import Basis, FigureCode, PlanCode

SWEEP_BATCH = 100


@transaction.atomic
def order_create(
    *,
    tenant_id: int,
    plan_code: str,
    years: int,
    agreement_version: str,
    shown_amount: Decimal | None,
    idempotency_key: str,
    actor: Actor,
    at: datetime,
) -> Order:
    """Order a plan for a new term, at today's price, frozen until the order is paid or dies.

    The same ``idempotency_key`` again returns the same order: a double click, a retried call. ``shown_amount`` (CNY) is
    what the customer confirmed. Raises OpenOrderExists, SubscriptionAlreadyActive, PlanNotForSale, TermNotOffered,
    AgreementNotAccepted, AgreementChanged, PriceChanged, IdempotencyKeyReused.
    """
    lock_tenant(tenant_id)
    if existing := _same_request(tenant_id, idempotency_key, plan_code, years):
        return existing
    _may_order(tenant_id, at)
    if plan_code not in PlanCode.values or plan_code == PlanCode.STANDARD:
        raise errors.PlanNotForSale(field="plan")
    price = price_at(plan_code, at)
    quote = quote_new(plan=plan_code, monthly=price.monthly, years=years, at=at)
    if shown_amount is not None and shown_amount != quote.charge:
        raise errors.PriceChanged
    agreement = agreement_at(at)
    if not agreement_version:
        raise errors.AgreementNotAccepted(field="agreement")
    if agreement_version != agreement.version:
        raise errors.AgreementChanged(field="agreement")
    order = Order.objects.create(
        tenant_id=tenant_id,
        number=order_number(at),
        type=OrderType.NEW,
        plan=price.plan,
        years=years,
        paid_days=quote.days,
        monthly=price.monthly,
        amount=quote.charge,
        explanation=[line.as_json() for line in quote.explanation],
        pays_until=at + hours_of(figure_at(FigureCode.ORDER_HOURS, at)),
        idempotency_key=idempotency_key,
        created_at=at,
        updated_at=at,
        **actor.snapshot(),
    )
    AgreementAcceptance.objects.create(
        tenant_id=tenant_id,
        order=order,
        agreement=agreement,
        version=agreement.version,
        address=actor.address,
        created_at=at,
        **actor.snapshot(),
    )
    OrderEvent.objects.create(
        tenant_id=tenant_id,
        order=order,
        to_state=OrderState.PENDING,
        created_at=at,
        **actor.snapshot(),
    )
    return order


@transaction.atomic
def order_use_balance(*, order_id: int, use: bool, actor: Actor, at: datetime) -> Order:
    """Choose whether the balance pays as much of the order as it can; the rest goes to the cashier.

    What is chosen is held at once. When nothing is left to pay the order is paid at once. An attempt over another sum
    is closed at its provider. Raises OrderNotPayable.
    """
    order = _lock_order(order_id)
    if not order.is_payable or order.pays_until <= at:
        raise errors.OrderNotPayable
    available = balance_of(order.tenant_id) + order.balance_amount
    wanted = min(available, order.due + order.balance_amount) if use else ZERO
    if wanted != order.balance_amount:
        hold_release(order=order, actor=actor, at=at)
        order.balance_amount = wanted
        if wanted > ZERO:
            balance_hold(order=order, amount=wanted, actor=actor, at=at)
        order_touch(order, at=at, also=["balance_amount"])
        _close_attempts(order, at)
    if order.is_free and not live_payments(order).exists():
        order_mark_paid(order, actor=actor, at=at)
    return order


def order_mark_paid(order: Order, *, actor: Actor, at: datetime) -> None:
    """Take what the order holds, move it to paid and hand it to the worker. The caller has the lock and the money.

    A payment that arrives while the order is being cancelled wins.
    """
    hold_capture(order=order, actor=actor, at=at)
    order.paid_at = at
    order.closing_to = ""
    order_move(order, to=OrderState.PAID, actor=actor, at=at, also=["paid_at", "closing_to"])
    _close_attempts(order, at)
    enqueue("billing.order_provision", order_id=order.pk)


@transaction.atomic
def order_cancel(*, order_id: int, actor: Actor, at: datetime) -> Order:
    """Cancel an unpaid order. With an attempt under way it ends once the provider has closed that (a payment that
    arrives first wins). Raises OrderNotCancellable."""
    order = _lock_order(order_id)
    if order.state != OrderState.PENDING:
        raise errors.OrderNotCancellable
    _end(order, to=OrderState.CANCELLED, actor=actor, at=at)
    return order


@transaction.atomic
def orders_expire_due(*, at: datetime) -> int:
    """End unpaid orders whose window is over, in a batch; return how many were looked at. Safe to run twice."""
    due = Order.objects.filter(state=OrderState.PENDING, closing_to="", pays_until__lte=at)
    taken = 0
    for order_id in due.order_by("pays_until").values_list("pk", flat=True)[:SWEEP_BATCH]:
        order = _lock_order(order_id)
        if order.state == OrderState.PENDING and not order.closing_to and order.pays_until <= at:
            _end(order, to=OrderState.EXPIRED, actor=SYSTEM, at=at)
            taken += 1
    return taken


def order_finish_closing(order: Order, *, actor: Actor, at: datetime) -> None:
    """Move an order that is being closed to its end once no attempt is under way. The caller holds the lock."""
    if order.state != OrderState.PENDING or not order.closing_to or live_payments(order).exists():
        return
    to, order.closing_to = OrderState(order.closing_to), ""
    hold_release(order=order, actor=actor, at=at)
    order_move(order, to=to, actor=actor, at=at, also=["closing_to"])
    if to == OrderState.EXPIRED:
        notify(
            "billing.order_expired",
            key=order.number,
            audience=["tenant:owner"],
            context={"order_number": order.number},
            url=order.get_absolute_url(),
            tenant_id=order.tenant_id,
            at=at,
        )


def _lock_order(order_id: int) -> Order:
    """Return the order, locked after its tenant. Raises Order.DoesNotExist."""
    lock_tenant(Order.objects.values_list("tenant_id", flat=True).get(pk=order_id))
    return lock_orders().select_related("plan").get(pk=order_id)


def _same_request(tenant_id: int, key: str, plan_code: str, years: int) -> Order | None:
    existing = (
        Order.objects.filter(tenant_id=tenant_id, idempotency_key=key)
        .select_related("plan")
        .first()
    )
    if existing is None:
        return None
    if existing.plan is None or (existing.plan.code, existing.years) != (plan_code, years):
        raise errors.IdempotencyKeyReused
    return existing


def _may_order(tenant_id: int, at: datetime) -> None:
    """A plan is bought only from standard service or from a trial, one open order at a time."""
    if open_order := order_open_for(tenant_id):
        raise errors.OpenOrderExists(open_order.number)
    running = subscription_current(tenant_id)
    if running is not None and running.basis == Basis.PAID and running.ends > at:
        raise SubscriptionAlreadyActive


def _end(order: Order, *, to: OrderState, actor: Actor, at: datetime) -> None:
    """Close the attempts at their providers first; without any the order ends now."""
    order.closing_to = to
    _close_attempts(order, at)
    if live_payments(order).exists():
        order_touch(order, at=at, also=["closing_to"])
    else:
        order_finish_closing(order, actor=actor, at=at)


def _close_attempts(order: Order, at: datetime) -> None:
    """Ask the worker to close what is under way at a provider."""
    open_ids = []
    for payment in lock_payments().filter(order=order, state__in=LIVE_PAYMENT_STATES):
        payment.state = PaymentState.CLOSING
        payment.next_poll_at = at
        payment.save(update_fields=["state", "next_poll_at"])
        open_ids.append(payment.pk)
    for payment_id in open_ids:
        enqueue("billing.payment_follow", payment_id=payment_id)
