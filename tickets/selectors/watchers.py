"""Who follows a ticket, and who could."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import Membership
from tickets.models import Ticket, Watcher


def watchers_of(ticket: Ticket) -> QuerySet[Watcher]:
    """Return those who follow the ticket, in the order in which they were added."""
    return Watcher.objects.filter(ticket=ticket, removed_at=None).order_by("created_at", "id")


def people_of(tenant_id: int) -> QuerySet[Membership]:
    """Return the tenant's authorised people, by name."""
    return (
        Membership.objects.filter(tenant_id=tenant_id, is_active=True, user__is_active=True)
        .select_related("user")
        .order_by("user__name", "pk")
    )


def audience_of(ticket: Ticket) -> list[str]:
    """Return whom news of the ticket goes to: who submitted it, and who watches it or one merged into it.

    One query; those who left the tenant hear nothing. Without a submitter (a ticket of the system's) the owner is told.
    """
    first = f"user:{ticket.actor_id}" if ticket.actor_id else "tenant:owner"
    watching = (
        Watcher.objects.filter(Q(ticket=ticket) | Q(ticket__merged_into=ticket), removed_at=None)
        .filter(user__memberships__tenant_id=ticket.tenant_id, user__memberships__is_active=True)
        .values_list("user_id", flat=True)
    )
    return list(dict.fromkeys([first, *(f"user:{user_id}" for user_id in watching)]))
