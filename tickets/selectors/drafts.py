"""A person's unsent tickets, what their description could hold, and what looks like them."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from tickets.models import Ticket, TicketDraft, TicketTemplate
from tickets.similarity import ALIKE, likeness
from tickets.states import OPEN_STATES

COMPARED = 200
ALIKE_SHOWN = 3


def draft_list_for(tenant_id: int, person: User) -> QuerySet[TicketDraft]:
    """Return the person's drafts in this tenant, newest first. What was submitted meanwhile is none."""
    submitted = Ticket.objects.filter(tenant_id=tenant_id, idempotency_key=OuterRef("key"))
    return TicketDraft.objects.filter(
        ~Exists(submitted), tenant_id=tenant_id, person=person, ended_at=None
    ).order_by("-updated_at")


def template_for(product_line_id: int | None) -> str:
    """Return the questions that a description of this product's problem answers; the general ones for others."""
    own = Q(product_line=None) | Q(product_line_id=product_line_id)
    rows = {row.product_line_id: row.text for row in TicketTemplate.objects.filter(own)}
    return rows.get(product_line_id) or rows.get(None, "")


def is_template(text: str) -> bool:
    """Return True for a description that is still the template of some product, or empty."""
    words = "".join(text.split())
    return not words or any(
        words == "".join(each.split())
        for row in TicketTemplate.objects.all()
        for each in (row.body, row.body_en)
    )


def tickets_alike(
    tenant_id: int, *, title: str, resource: str = "", product_line_id: int | None = None
) -> list[Ticket]:
    """Return the tenant's own open tickets that look like this one, the most alike first. One query.

    The newest ``COMPARED`` open tickets are looked at. The same resource is alike by itself; the same product helps.
    """
    if not title.strip() and not resource.strip():
        return []
    found: list[tuple[float, Ticket]] = []
    newest = Ticket.objects.filter(tenant_id=tenant_id, state__in=OPEN_STATES).order_by("-id")
    fields = ("number", "title", "state", "resource", "product_line_id", "created_at", "tenant_id")
    for ticket in newest.only(*fields)[:COMPARED]:
        score = likeness(title, ticket.title)
        if score and ticket.product_line_id == product_line_id:
            score += 0.1
        if resource.strip() and resource.strip().lower() == ticket.resource.lower():
            score += ALIKE
        if score >= ALIKE:
            found.append((score, ticket))
    found.sort(key=lambda pair: (-pair[0], -pair[1].pk))
    return [ticket for _, ticket in found[:ALIKE_SHOWN]]
