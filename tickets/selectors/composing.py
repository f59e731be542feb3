"""What the composers of one ticket show to one agent."""

from __future__ import annotations

from accounts.models import StaffMember
from tickets.models import AgentDraft, Ticket


def drafts_of(ticket: Ticket, staff: StaffMember) -> dict[str, AgentDraft]:
    """Return the agent's drafts on a ticket by composer. One query."""
    found = AgentDraft.objects.filter(tenant_id=ticket.tenant_id, ticket=ticket, staff_member=staff)
    return {draft.kind: draft for draft in found}
