"""Load demo data of every room, from the lowest floor up. Loading it again changes nothing."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from core import clock

ROOMS = (
    "accounts",
    "supportplans",
    "billing",
    "tickets",
    "servicedesk",
    "onlineservice",
    "reports",
)


class Command(BaseCommand):
    """Refused outside demo mode."""

    help = __doc__

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        """Call ``<app>.demo.load`` of each room that has one."""
        if not settings.DEMO_MODE:
            raise CommandError("demo data are loaded in demo mode only")
        at = clock.now()
        for room in ROOMS:
            if find_spec(f"{room}.demo"):
                import_module(f"{room}.demo").load(at)
                self.stdout.write(f"demo data of {room} loaded")
