"""Load plans, prices, targets and the service catalogue from ``supportplans/data/catalogue.json``."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import models
from typing_extensions import override

from core.tenancy import scope
from supportplans.agreement_text import AGREEMENTS
from supportplans.models import (
    Agreement,
    Entitlement,
    Figure,
    Plan,
    PlanPrice,
    ProductLine,
    ResourcePool,
    ResponseTarget,
    ServiceGroup,
    ServiceItem,
)

CATALOGUE = Path(__file__).resolve().parents[2] / "data" / "catalogue.json"


class Command(BaseCommand):
    """Idempotent: a second run changes nothing; what operators added with a later date stays."""

    help = __doc__

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        """Read the file and write what differs."""
        data = json.loads(CATALOGUE.read_text(encoding="utf-8"))
        self.changed = 0
        with scope.staff():
            self._load_plans(data)
            self._load_services(data)
            for model, key in ((ProductLine, "product_lines"), (ResourcePool, "resource_pools")):
                for position, (code, name, name_en) in enumerate(data[key], start=1):
                    self._put(model, {"code": code}, name=name, name_en=name_en, position=position)
            for version, effective_from, body, body_en in AGREEMENTS:
                self._put(
                    Agreement,
                    {"version": version},
                    effective_from=datetime.fromisoformat(effective_from),
                    body=body,
                    body_en=body_en,
                )
        if options["verbosity"]:
            self.stdout.write(f"catalogue loaded, {self.changed} rows written")

    def _load_plans(self, data: dict[str, Any]) -> None:
        for row in data["plans"]:
            self._put(Plan, {"code": row["code"]}, **{k: v for k, v in row.items() if k != "code"})
        self.plans = {plan.code: plan for plan in Plan.objects.all()}
        for row in data["prices"]:
            key = {
                "plan": self.plans[row["plan"]],
                "effective_from": datetime.fromisoformat(row["effective_from"]),
            }
            self._put(PlanPrice, key, monthly=Decimal(row["monthly"]), note=row["note"])
        since = datetime.fromisoformat(data["targets"]["effective_from"])
        for code, minutes_by_severity in data["targets"]["minutes"].items():
            for severity, minutes in minutes_by_severity.items():
                key = {"plan": self.plans[code], "severity": severity, "effective_from": since}
                self._put(ResponseTarget, key, minutes=minutes)
        since = datetime.fromisoformat(data["figures"]["effective_from"])
        for code, value in data["figures"]["values"].items():
            self._put(Figure, {"code": code, "effective_from": since}, value=Decimal(value))

    def _load_services(self, data: dict[str, Any]) -> None:
        for position, row in enumerate(data["groups"], start=1):
            self._put(
                ServiceGroup,
                {"code": row["code"]},
                name=row["name"],
                name_en=row["name_en"],
                position=position,
            )
        groups = {group.code: group for group in ServiceGroup.objects.all()}
        for position, row in enumerate(data["items"], start=1):
            names = {"name": row["name"], "name_en": row["name_en"], "position": position}
            item = self._put(
                ServiceItem, {"code": row["code"]}, group=groups[row["group"]], **names
            )
            for plan_code, cell in row["cells"].items():
                kind, value, value_en, action, *counted = cell
                quota, details = (*counted, None, None)[:2]
                self._put(
                    Entitlement,
                    {"item": item, "plan": self.plans[plan_code]},
                    kind=kind,
                    value=value,
                    value_en=value_en,
                    action=action,
                    quota=quota,
                    details=details or {},
                )

    def _put(self, model: type[models.Model], key: dict[str, Any], **values: Any) -> Any:
        """Create the row or write the values that differ."""
        row = model._default_manager.filter(**key).first()
        if row is None:
            self.changed += 1
            return model._default_manager.create(**key, **values)
        stale = [name for name, value in values.items() if getattr(row, name) != value]
        if stale:
            self.changed += 1
            for name in stale:
                setattr(row, name, values[name])
            row.save(update_fields=stale)
        return row
