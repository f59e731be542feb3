"""Load the help articles that come with the portal; what an editor changed in the back office stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from core.tenancy import scope
from onlineservice.models import Article

ARTICLES = Path(__file__).resolve().parents[2] / "data" / "articles.json"


class Command(BaseCommand):
    """Idempotent: only articles that are not there yet are written."""

    help = __doc__

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        rows = json.loads(ARTICLES.read_text(encoding="utf-8"))
        with scope.staff():
            for position, row in enumerate(rows, start=1):
                Article.objects.get_or_create(
                    slug=row["slug"], defaults={**row, "position": position}
                )
