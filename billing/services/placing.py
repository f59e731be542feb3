"""Placing orders: a frozen price, an accepted agreement, a first line of history (domain.md §2–§4).

Whoever places an order holds the tenant's lock, as whoever changes its plan does: customers may not lock subscriptions.
One open order per account. The same idempotency key again returns the same order: a double click, a retried call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Model

from accounts.access import Actor
from billing import exceptions as errors
from billing.models import AgreementAcceptance, Order, OrderEvent
from billing.proration import quote_new
from billing.quotes import Quote
from billing.selectors.changes import (
    change_allowed,
    paid_subscription,
    quote_change_of,
    quote_holds_until,
    quote_renewal_of,
    quote_unsubscription_of,
)
from billing.selectors.lines import lines_of
from billing.selectors.orders import orders_in_the_way
from billing.selectors.terms import change_terms
from billing.services.orders import order_mark_paid
from billing.states import OrderOrigin, OrderState, OrderType, UnsubscribeReason
from core.numbering import order_number
from core.rows import insert_together
from supportplans.exceptions import SubscriptionAlreadyActive
from supportplans.locks import lock_tenant
from supportplans.models import Agreement
from supportplans.selectors.catalogue import agreement_at
from supportplans.selectors.sales import sale_terms
from supportplans.selectors.subscriptions import paid_plan_runs
from supportplans.states import PlanCode


@dataclass(frozen=True)
class Consent:
    """What the customer confirmed: the version of the service agreement, and the amount that was shown (CNY)."""

    agreement_version: str
    shown_amount: Decimal | None = None


@dataclass(frozen=True)
class Request:
    """Whose order, by whom, when, and the key that makes a second click the same order."""

    tenant_id: int
    idempotency_key: str
    actor: Actor
    at: datetime
    origin: OrderOrigin = OrderOrigin.CUSTOMER
    # What the order is about: a request with the same key and other facts is refused.
    facts: dict[str, Any] = field(default_factory=dict)


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

    Only from standard service or from a trial. Raises OpenOrderExists, SubscriptionAlreadyActive, PlanNotForSale,
    TermNotOffered, AgreementNotAccepted, AgreementChanged, PriceChanged, IdempotencyKeyReused.
    """
    facts = {"type": OrderType.NEW, "plan__code": plan_code, "years": years}
    request = Request(tenant_id, idempotency_key, actor, at, facts=facts)
    if existing := _begin(request):
        return existing
    if paid_plan_runs(tenant_id, at):
        raise SubscriptionAlreadyActive
    if plan_code not in PlanCode.values or plan_code == PlanCode.STANDARD:
        raise errors.PlanNotForSale(field="plan")
    terms = sale_terms(plan_code, at)
    quote = quote_new(
        plan=plan_code, monthly=terms.monthly, years=years, at=at, longest=terms.longest
    )
    return _place(
        request,
        quote,
        Consent(agreement_version, shown_amount),
        agreement=terms.agreement,
        pays_until=at + terms.order_window,
        type=OrderType.NEW,
        plan=terms.plan,
        years=years,
    )


@transaction.atomic
def order_create_renewal(
    *,
    tenant_id: int,
    years: int,
    agreement_version: str,
    shown_amount: Decimal | None,
    idempotency_key: str,
    actor: Actor,
    at: datetime,
    origin: OrderOrigin = OrderOrigin.CUSTOMER,
) -> Order:
    """Order another term of the running plan, at any time; it follows the last one (domain.md §2).

    Payable until the plan ends at the latest. Raises OpenOrderExists, NothingRuns, TermNotOffered,
    AgreementNotAccepted, AgreementChanged, PriceChanged, IdempotencyKeyReused.
    """
    facts = {"type": OrderType.RENEW, "years": years}
    request = Request(tenant_id, idempotency_key, actor, at, origin, facts)
    if existing := _begin(request):
        return existing
    subscription = paid_subscription(tenant_id, at)
    terms = sale_terms(subscription.plan.code, at)
    quote = quote_renewal_of(subscription, terms, years=years, at=at)
    return _place(
        request,
        quote,
        Consent(agreement_version, shown_amount),
        agreement=terms.agreement,
        pays_until=min(at + terms.order_window, subscription.ends),
        type=OrderType.RENEW,
        plan=subscription.plan,
        from_plan=subscription.plan,
        years=years,
        subscription=subscription,
    )


@transaction.atomic
def order_create_change(
    *,
    tenant_id: int,
    plan_code: str,
    agreement_version: str,
    shown_amount: Decimal | None,
    idempotency_key: str,
    to_balance: bool,
    actor: Actor,
    at: datetime,
) -> Order:
    """Order another level for the running and all future terms: an upgrade charges, a downgrade gives back (§3).

    ``shown_amount`` is the charge or the refund that the customer confirmed. ``to_balance``: what is given back goes to
    the balance, also what came by the cashier. A downgrade is paid at once and handed to the worker. An upgrade order
    lives until the remaining days would change, within the figures of the rule. Raises OpenOrderExists,
    NothingRuns, PlanNotForSale, PlanNotHigher, PlanNotLower, RenewFirst, TooManyChanges, AgreementNotAccepted,
    AgreementChanged, PriceChanged, IdempotencyKeyReused.
    """
    facts = {"type__in": [OrderType.UPGRADE, OrderType.DOWNGRADE], "plan__code": plan_code}
    request = Request(tenant_id, idempotency_key, actor, at, facts=facts)
    if existing := _begin(request):
        return existing
    terms = change_terms(tenant_id, plan_code, at)
    quote = quote_change_of(terms, at=at)
    allowance = change_allowed(tenant_id, at)
    order = _place(
        request,
        quote,
        Consent(agreement_version, shown_amount),
        agreement=agreement_at(at),
        pays_until=quote_holds_until(terms.lines, at=at),
        type=OrderType.UPGRADE if quote.action == "upgrade" else OrderType.DOWNGRADE,
        plan_id=terms.plan_id,
        from_plan_id=terms.current_id,
        subscription_id=terms.subscription_id,
        monthly=terms.monthly,
        to_balance=to_balance,
    )
    if allowance is not None:
        allowance.order = order
        allowance.save(update_fields=["order"])
    return _pay_if_free(order, request)


@transaction.atomic
def order_create_unsubscription(
    *,
    tenant_id: int,
    reason: str,
    reason_text: str,
    confirmed: bool,
    shown_amount: Decimal | None,
    idempotency_key: str,
    to_balance: bool,
    actor: Actor,
    at: datetime,
) -> Order:
    """Leave the running plan; the worker ends it and gives back what is due (guide 3.5, domain.md §3).

    ``confirmed`` is the tick under the amount. The counter of free returns is safe: one open order per account, and a
    completed one counts. Raises OpenOrderExists, NothingRuns, ReasonMissing, RefundNotConfirmed, PriceChanged,
    IdempotencyKeyReused.
    """
    request = Request(tenant_id, idempotency_key, actor, at, facts={"type": OrderType.UNSUBSCRIBE})
    if existing := _begin(request):
        return existing
    subscription = paid_subscription(tenant_id, at)
    if reason not in UnsubscribeReason.values:
        raise errors.ReasonMissing(field="reason")
    if not confirmed:
        raise errors.RefundNotConfirmed(field="confirmed")
    quote = quote_unsubscription_of(subscription, at=at)
    order = _place(
        request,
        quote,
        Consent("", shown_amount),
        agreement=None,
        pays_until=quote_holds_until(lines_of(subscription), at=at),
        type=OrderType.UNSUBSCRIBE,
        plan=subscription.plan,
        from_plan=subscription.plan,
        subscription=subscription,
        is_free_return=quote.is_free_return,
        to_balance=to_balance,
        reason=reason,
        reason_text=reason_text[:200],
    )
    return _pay_if_free(order, request)


def _begin(request: Request) -> Order | None:
    """Lock the tenant and return the order of the same key, if there is one. Raises OpenOrderExists,
    IdempotencyKeyReused."""
    lock_tenant(request.tenant_id)
    in_the_way = orders_in_the_way(request.tenant_id, request.idempotency_key)
    for order_id, _number, key in in_the_way:
        if key == request.idempotency_key:
            same = Order.objects.select_related("plan").filter(pk=order_id, **request.facts)
            if (existing := same.first()) is None:
                raise errors.IdempotencyKeyReused
            return existing
    if in_the_way:
        raise errors.OpenOrderExists(in_the_way[0].number)
    return None


def _place(
    request: Request,
    quote: Quote,
    consent: Consent,
    *,
    agreement: Agreement | None,
    pays_until: datetime,
    **what: Any,
) -> Order:
    """Write the order with its frozen amounts, the acceptance and the first line of history.

    ``agreement`` is the version that must have been accepted, None for an order that needs none.
    """
    at, actor = request.at, request.actor
    amount = quote.charge or quote.refund
    if consent.shown_amount is not None and consent.shown_amount != amount:
        raise errors.PriceChanged
    what.setdefault("monthly", quote.added[0].monthly if quote.added else None)
    order = Order(
        tenant_id=request.tenant_id,
        number=order_number(at),
        paid_days=quote.days,
        amount=quote.charge,
        refund_amount=quote.refund,
        refund_to={method: f"{part:.2f}" for method, part in quote.refund_to.items()},
        explanation=[line.as_json() for line in quote.explanation],
        pays_until=pays_until,
        idempotency_key=request.idempotency_key,
        origin=request.origin,
        created_at=at,
        updated_at=at,
        **what,
        **actor.snapshot(),
    )
    if agreement is not None and not consent.agreement_version:
        raise errors.AgreementNotAccepted(field="agreement")
    if agreement is not None and consent.agreement_version != agreement.version:
        raise errors.AgreementChanged(field="agreement")
    mine = {"tenant_id": request.tenant_id, "order": order, "created_at": at, **actor.snapshot()}
    written: list[Model] = [OrderEvent(to_state=OrderState.PENDING, **mine)]
    # A renewal by itself stands on the acceptance that turned it on.
    if agreement is not None and request.origin == OrderOrigin.CUSTOMER:
        accepted = {"version": agreement.version, "address": actor.address}
        written.append(AgreementAcceptance(agreement=agreement, **accepted, **mine))
    insert_together(order, *written)
    return order


def _pay_if_free(order: Order, request: Request) -> Order:
    """Nothing to pay is paid at once."""
    if order.is_free:
        order_mark_paid(order, actor=request.actor, at=request.at)
    return order
