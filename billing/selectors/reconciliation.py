"""Reading what is checked every day: days to compare, differences, proofs of the book."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from billing.models import LedgerProof, Reconciliation
from core.clock import local

# Before this hour no provider has finished the list of the day before; the book is proved when little else runs.
EARLIEST = time(2)
# A provider that is away for longer is compared by hand.
DAYS_BACK = 7


def days_to_reconcile(providers: Collection[str], at: datetime) -> list[tuple[str, date]]:
    """Return the providers and days of Shanghai that are over and not compared yet, oldest first. One query."""
    now = local(at)
    newest = now.date() - timedelta(days=1 if now.time() >= EARLIEST else 2)
    days = [newest - timedelta(days=back) for back in reversed(range(DAYS_BACK))]
    finished = Reconciliation.objects.filter(day__in=days, finished_at__isnull=False)
    done = set(finished.values_list("provider", "day"))
    return [
        (provider, day)
        for day in days
        for provider in sorted(providers)
        if (provider, day) not in done
    ]


def reconciliation_list(limit: int = 60) -> list[Reconciliation]:
    """Return the newest compared days."""
    return list(Reconciliation.objects.order_by("-day", "provider")[:limit])


def proof_due(at: datetime) -> bool:
    """Return True when the book has not been proved in the night of ``at``. One query."""
    now = local(at)
    night = datetime.combine(now.date(), EARLIEST, now.tzinfo)
    return now >= night and not LedgerProof.objects.filter(created_at__gte=night).exists()


def proof_list(limit: int = 30) -> list[LedgerProof]:
    """Return the newest proofs of the book."""
    return list(LedgerProof.objects.order_by("-created_at")[:limit])
