"""Reading service orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.access import Identity
from servicedesk.models import Deliverable, ServiceOrder, ServiceOrderEvent, ServiceOrderRating
from servicedesk.states import Scenario, State
from supportplans.models import AssuranceWindow, Entitlement
from supportplans.states import EntitlementKind, WindowState

RATING_DAYS = 7
UNRATED = "unrated"


def service_order_list_for(identity: Identity) -> QuerySet[ServiceOrder]:
    """Return the service orders that a person may see: their tenant's own, or for staff all of them."""
    orders = ServiceOrder.objects.select_related("item")
    if identity.is_staff:
        return orders.select_related("tenant", "handler").order_by("-id")
    return orders.filter(tenant=identity.tenant).order_by("-id")


def service_order_filtered(
    orders: QuerySet[ServiceOrder], params: Mapping[str, str]
) -> QuerySet[ServiceOrder]:
    """Narrow a list by ``state``, ``item`` and the beginning of a ``number``; unknown values are ignored.

    The state ``unrated`` means completed ones that nobody has rated.
    """
    if params.get("state") == UNRATED:
        orders = orders.filter(state=State.COMPLETED, ratings=None)
    elif params.get("state") in State.values:
        orders = orders.filter(state=params["state"])
    if params.get("item"):
        orders = orders.filter(item__code=params["item"])
    if params.get("number", "").isdigit():
        orders = orders.filter(number__startswith=params["number"])
    return orders


def service_order_views(identity: Identity) -> list[tuple[str, str, int]]:
    """Return the views of a tenant's list as code, label and count: all, each state, not rated yet. One query.

    Waiting and cancelled ones have a view only while there are any.
    """
    orders = service_order_list_for(identity).order_by()
    of_view = {
        "all": Q(),
        UNRATED: Q(state=State.COMPLETED, ratings=None),
        **{state.value: Q(state=state) for state in State},
    }
    counts = orders.aggregate(
        **{view: Count("id", filter=wanted, distinct=True) for view, wanted in of_view.items()}
    )
    seldom = {State.REQUESTED, State.CANCELLED}
    states = [state for state in State if counts[state] or state not in seldom]
    return [
        ("", _("全部"), counts["all"]),
        *((state.value, str(state.label), counts[state]) for state in states),
        (UNRATED, _("待评价"), counts[UNRATED]),
    ]


def service_order_with_parts(orders: QuerySet[ServiceOrder]) -> QuerySet[ServiceOrder]:
    """Return the same orders with files, history and rating: four queries in all."""
    return orders.prefetch_related(
        Prefetch("deliverables", Deliverable.objects.order_by("kind", "name", "-version")),
        Prefetch("history", ServiceOrderEvent.objects.order_by("id")),
        Prefetch("ratings", ServiceOrderRating.objects.all()),
    )


def rating_open(order: ServiceOrder, rating: ServiceOrderRating | None, at: datetime) -> bool:
    """Return True while a rating can be given or changed (domain.md §7, guide 3.6)."""
    if order.state != State.COMPLETED:
        return False
    return rating is None or at < rating.created_at + timedelta(days=RATING_DAYS)


def scenarios_for(plan_code: str, item_code: str) -> dict[str, str]:
    """Return how the plan gives a service on each occasion: ``{"join": "proactive", "event": "on_application"}``.

    A service without occasions has ``{"": kind}``; one that the plan does not give has none (guide 1.5.6, 1.5.7).
    """
    entitlement = Entitlement.objects.filter(plan__code=plan_code, item__code=item_code).first()
    if entitlement is None or entitlement.kind == EntitlementKind.NONE:
        return {}
    scenarios = entitlement.details.get("scenarios", {})
    known = {code: scenarios[code] for code in Scenario.values if code in scenarios}
    return known or {"": entitlement.kind}


def windows_between(first: datetime, last: datetime) -> QuerySet[AssuranceWindow]:
    """Return assurance windows that touch a span of the calendar, approved or waiting for approval."""
    return (
        AssuranceWindow.objects.filter(
            starts__lt=last, ends__gt=first, state__in=[WindowState.APPROVED, WindowState.REQUESTED]
        )
        .select_related("tenant")
        .order_by("starts", "id")[:200]
    )
