"""Reading plans, prices and entitlements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db.models import OuterRef, QuerySet, Subquery

from core.rows import select_rows
from supportplans.exceptions import PriceMissing
from supportplans.models import Agreement, Entitlement, Plan, PlanPrice, ProductLine
from supportplans.states import EntitlementKind


@dataclass(frozen=True)
class MatrixRow:
    """One service with its cell per plan, in the order of the plans."""

    code: str
    name: str
    cells: tuple[Entitlement, ...]


@dataclass
class MatrixGroup:
    """A heading of the comparison with its rows."""

    name: str
    rows: list[MatrixRow] = field(default_factory=list)


def plans_by_id() -> dict[int | None, Plan]:
    """Return all plans, those that are not sold too. One query."""
    return {plan.pk: plan for plan in select_rows(Plan, "SELECT * FROM supportplans_plan", [])}


def plans_with_price(at: datetime) -> list[Plan]:
    """Return the plans by rank, each with ``monthly``: its list price in CNY at ``at`` (None before any price)."""
    in_force = PlanPrice.objects.filter(plan=OuterRef("pk"), effective_from__lte=at).order_by(
        "-effective_from"
    )
    return list(Plan.objects.annotate(monthly=Subquery(in_force.values("monthly")[:1])))


def monthly_of(plan: Plan) -> Decimal | None:
    """Return the list price that ``plans_with_price`` has put beside a plan, in CNY; None before any price."""
    price: Decimal | None = plan.monthly  # type: ignore[attr-defined]  # annotated
    return price


def price_at(plan_code: str, at: datetime) -> PlanPrice:
    """Return the price version in force. Raises PriceMissing."""
    price = (
        PlanPrice.objects.filter(plan__code=plan_code, effective_from__lte=at)
        .select_related("plan")
        .order_by("-effective_from")
        .first()
    )
    if price is None:
        raise PriceMissing
    return price


def comparison_matrix(plans: Iterable[Plan]) -> list[MatrixGroup]:
    """Return all services by group, each with one cell for each of ``plans`` (two queries)."""
    codes = [plan.code for plan in plans]
    cells: dict[str, dict[str, Entitlement]] = {}
    groups: dict[str, MatrixGroup] = {}
    entitlements = Entitlement.objects.select_related("item__group", "plan").order_by(
        "item__group__position", "item__position"
    )
    order: list[tuple[str, str, str]] = []
    for cell in entitlements:
        item = cell.item
        if item.code not in cells:
            cells[item.code] = {}
            order.append((str(item.group), item.code, str(item)))
        cells[item.code][cell.plan.code] = cell
    for group_name, item_code, item_name in order:
        group = groups.setdefault(group_name, MatrixGroup(group_name))
        group.rows.append(
            MatrixRow(item_code, item_name, tuple(cells[item_code][code] for code in codes))
        )
    return list(groups.values())


def entitlements_for(plan_code: str) -> QuerySet[Entitlement]:
    """Return what the plan gives, in the order of the catalogue, without the services it does not include."""
    return (
        Entitlement.objects.filter(plan__code=plan_code)
        .exclude(kind=EntitlementKind.NONE)
        .select_related("item__group")
        .order_by("item__group__position", "item__position")
    )


def agreement_at(at: datetime) -> Agreement:
    """Return the version of the service agreement in force."""
    return Agreement.objects.filter(effective_from__lte=at).latest("effective_from")


def product_lines() -> QuerySet[ProductLine]:
    """Return the product lines in their order."""
    return ProductLine.objects.all()
