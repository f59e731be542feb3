"""Row locks of this app, in the portal's lock order: tenant → … → availability → ticket (by id) → clock."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from supportplans.locks import lock_tenant
from tickets.models import Availability, Clock, Incident, Ticket


class _Merged(Exception):
    """The ticket that was locked leads to another one."""

    def __init__(self, into: int) -> None:
        self.into = into
        super().__init__(into)


def keep_coverage(*, tenant_id: int | None = None, ticket_id: int | None = None) -> None:
    """Hold the tenant of a ticket, or the tenant itself, as it is until the end of the transaction.

    A change of plan locks the tenant before it looks for open tickets: who opens one meanwhile waits for it, or makes
    it wait, and never starts a clock by a plan that has just gone. Comes before the ticket's lock; readers do not wait.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM accounts_tenant WHERE id = coalesce(%s, "
            "(SELECT tenant_id FROM tickets_ticket WHERE id = %s)) FOR SHARE",
            [tenant_id, ticket_id],
        )


def lock_tickets() -> QuerySet[Ticket]:
    """Return tickets that are locked when read, in the order of their ids. Rows that refer to them stay free."""
    return (
        Ticket.objects.select_for_update(of=("self",), no_key=True).defer("search").order_by("pk")
    )


def lock_ticket_in_force(ticket_id: int) -> Ticket:
    """Return a ticket, locked, with its tenant; for a merged one the ticket that it leads to. Raises DoesNotExist.

    The lock of a merged one is given back (its savepoint is undone) before the other is asked for: nobody holds a
    ticket while waiting for one with a smaller id.
    """
    while True:
        try:
            with transaction.atomic():
                ticket = lock_tickets().select_related("tenant").get(pk=ticket_id)
                if ticket.merged_into_id is not None:
                    raise _Merged(ticket.merged_into_id)
                return ticket
        except _Merged as merged:
            ticket_id = merged.into


def lock_tickets_to_merge(*, tenant_id: int, source_id: int, target_id: int) -> dict[int, Ticket]:
    """Return both tickets of a tenant and those that were merged into the first, locked, by id.

    The tenant's lock comes first: mergers of one tenant follow each other, so that each sees what the one before made.
    """
    lock_tenant(tenant_id)
    wanted = Q(pk__in=[source_id, target_id]) | Q(merged_into_id=source_id)
    found = lock_tickets().filter(wanted, tenant_id=tenant_id).select_related("tenant")
    return {ticket.pk: ticket for ticket in found}


def lock_incidents() -> QuerySet[Incident]:
    """Return incidents that are locked when read, in the order of their ids."""
    return Incident.objects.select_for_update(of=("self",), no_key=True).order_by("pk")


def lock_accepting() -> QuerySet[Availability]:
    """Return the rows of those who take tickets now, locked, with their cards. Who deals tickets holds them all: two
    submissions at once see each other's deals."""
    return (
        Availability.objects.select_for_update(of=("self",), no_key=True)
        .filter(is_accepting=True, staff_member__is_active=True)
        .select_related("staff_member__user")
        .order_by("pk")
    )


def lock_running_clock(ticket: Ticket) -> Clock | None:
    """Return the ticket's running clock, locked, or None. The caller holds the ticket's lock."""
    return (
        Clock.objects.select_for_update(of=("self",), no_key=True)
        .filter(ticket=ticket, stopped_at=None)
        .first()
    )


def lock_running_clocks(ticket_ids: list[int]) -> QuerySet[Clock]:
    """Return the running clocks of tickets, locked, in the order of their ids."""
    return (
        Clock.objects.select_for_update(of=("self",), no_key=True)
        .filter(ticket_id__in=ticket_ids, stopped_at=None)
        .order_by("pk")
    )
