"""From what the API was asked to the one service or selector that answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from accounts.access import Actor
from billing.exceptions import PlanNotHigher, PlanNotLower
from billing.models import Order
from billing.paid_lines import PLAN_RANKS
from billing.quotes import Quote
from billing.selectors.changes import (
    paid_subscription,
    quote_change_of,
    quote_renewal_of,
    quote_unsubscription_of,
)
from billing.selectors.orders import quote_new_for
from billing.selectors.terms import change_terms
from billing.services import placing
from billing.states import OrderType
from supportplans.selectors.sales import sale_terms


def quote_for(tenant_id: int, asked: Mapping[str, Any], at: datetime) -> Quote:
    """Return the price that was asked for. Raises what the rules refuse (DomainError)."""
    kind = asked["type"]
    if kind == OrderType.NEW:
        return quote_new_for(asked["plan"], asked["years"], at)
    if kind in {OrderType.UPGRADE, OrderType.DOWNGRADE}:
        terms = change_terms(tenant_id, asked["plan"], at)
        _must_lead(kind, terms.current, asked["plan"])
        return quote_change_of(terms, at=at)
    subscription = paid_subscription(tenant_id, at)
    if kind == OrderType.RENEW:
        sale = sale_terms(subscription.plan.code, at)
        return quote_renewal_of(subscription, sale, years=asked["years"], at=at)
    return quote_unsubscription_of(subscription, at=at)


def order_place(
    *,
    tenant_id: int,
    asked: Mapping[str, Any],
    idempotency_key: str,
    actor: Actor,
    at: datetime,
) -> Order:
    """Place the order that was asked for. Raises what the services refuse (DomainError)."""
    kind = asked["type"]
    common: dict[str, Any] = {
        "tenant_id": tenant_id,
        "shown_amount": asked.get("amount"),
        "idempotency_key": idempotency_key,
        "actor": actor,
        "at": at,
    }
    if kind == OrderType.UNSUBSCRIBE:
        return placing.order_create_unsubscription(
            reason=asked.get("reason", ""),
            reason_text=asked["reason_text"],
            confirmed=asked["confirmed"],
            to_balance=asked["to_balance"],
            **common,
        )
    common["agreement_version"] = asked["agreement_version"]
    if kind == OrderType.NEW:
        return placing.order_create(plan_code=asked["plan"], years=asked["years"], **common)
    if kind == OrderType.RENEW:
        return placing.order_create_renewal(years=asked["years"], **common)
    _must_lead(kind, paid_subscription(tenant_id, at).plan.code, asked["plan"])
    return placing.order_create_change(
        plan_code=asked["plan"], to_balance=asked["to_balance"], **common
    )


def _must_lead(kind: str, current: str, plan: str) -> None:
    """Refuse an upgrade that leads down and a downgrade that leads up: the caller meant something else."""
    leads_up = PLAN_RANKS[plan] > PLAN_RANKS[current]
    if kind == OrderType.UPGRADE and not leads_up:
        raise PlanNotHigher(field="plan")
    if kind == OrderType.DOWNGRADE and (leads_up or plan == current):
        raise PlanNotLower(field="plan")
