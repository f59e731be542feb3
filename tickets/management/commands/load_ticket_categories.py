"""Load the ticket categories and the templates of descriptions from ``tickets/data``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from core.tenancy import scope
from supportplans.models import ProductLine
from tickets.models import TicketCategory, TicketTemplate

DATA = Path(__file__).resolve().parents[2] / "data"
CATEGORIES, TEMPLATES = DATA / "categories.json", DATA / "templates.json"


class Command(BaseCommand):
    """Idempotent: adds what is missing and leaves what operators edited."""

    help = __doc__

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        """Read the file and add the missing rows."""
        rows = json.loads(CATEGORIES.read_text(encoding="utf-8"))
        with scope.staff():
            lines = {line.code: line for line in ProductLine.objects.all()}
            known = set(TicketCategory.objects.values_list("code", flat=True))
            TicketCategory.objects.bulk_create(
                TicketCategory(
                    code=row["code"],
                    kind=row["kind"],
                    name=row["name"],
                    name_en=row["name_en"],
                    product_line=lines.get(row.get("product_line")),
                    position=position,
                )
                for position, row in enumerate(rows, start=1)
                if row["code"] not in known
            )
            self._add_templates(lines)
        if options["verbosity"]:
            self.stdout.write(
                f"{len(rows) - len(known & {r['code'] for r in rows})} categories added"
            )

    @staticmethod
    def _add_templates(lines: dict[str, ProductLine]) -> None:
        known = set(TicketTemplate.objects.values_list("product_line_id", flat=True))
        for row in json.loads(TEMPLATES.read_text(encoding="utf-8")):
            line = lines.get(row["product_line"]) if row["product_line"] else None
            is_known = (line.pk if line else None) in known
            if not is_known and (line or not row["product_line"]):
                TicketTemplate.objects.create(
                    product_line=line, body=row["body"], body_en=row["body_en"]
                )
