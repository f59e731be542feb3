"""Load the catalogue of tags and the list of what is out of scope from ``tickets/data``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from core.tenancy import scope
from tickets.models import ScopeItem, Tag

DATA = Path(__file__).resolve().parents[2] / "data"


class Command(BaseCommand):
    """Idempotent: adds what is missing and leaves what operators edited."""

    help = __doc__

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        """Read the files and add the missing rows."""
        added = _load(Tag, "tags.json") + _load(ScopeItem, "scope_items.json")
        if options["verbosity"]:
            self.stdout.write(f"{added} tags and items added")


def _load(model: type[Tag] | type[ScopeItem], name: str) -> int:
    """Add the rows of a file whose codes are not there yet; return how many."""
    rows = json.loads((DATA / name).read_text(encoding="utf-8"))
    with scope.staff():
        known = set(model.objects.values_list("code", flat=True))
        missing = [
            model(position=position, **row)
            for position, row in enumerate(rows, start=1)
            if row["code"] not in known
        ]
        model.objects.bulk_create(missing)  # type: ignore[arg-type]
    return len(missing)
