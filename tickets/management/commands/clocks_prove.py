"""Hold every response clock against its log; print what differs and exit with 1 if anything does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from core.tenancy import scope
from tickets.selectors.clock_proof import clocks_differing


class Command(BaseCommand):
    """Reads only. Safe at any time: each batch of clocks is read in a transaction of its own."""

    help = __doc__

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line for each field that differs, then how many clocks there are."""
        seen = wrong = last = 0
        while True:
            with scope.staff():
                batch = clocks_differing(after=last)
            for clock_id, found in batch.differing.items():
                wrong += 1
                for line in found:
                    self.stderr.write(f"clock {clock_id}: {line}")
            seen += batch.seen
            if batch.last is None:
                break
            last = batch.last
        self.stdout.write(f"{seen} clocks, {wrong} differ from their log")
        if wrong:
            raise SystemExit(1)
