"""What the customers' pages of tickets share."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.access import actor_of, identity_of
from core import clock
from core.exceptions import DomainError
from tickets.models import Ticket
from tickets.selectors.tickets import ticket_for_customer


def tenant_id_of(request: HttpRequest) -> int:
    """Return the tenant of a customer's request; the view's decorator has let in no one without."""
    tenant_id = identity_of(request).tenant_id
    if tenant_id is None:
        raise Http404
    return tenant_id


def ticket_of(request: HttpRequest, number: str) -> Ticket:
    """Return the ticket of the request's tenant. Raises Http404, for other tenants' as for missing ones."""
    ticket = ticket_for_customer(tenant_id_of(request), number)
    if ticket is None:
        raise Http404
    return ticket


def act(request: HttpRequest, number: str, service: Any, **arguments: Any) -> HttpResponse:
    """Call a service on the ticket and go back to its page, with the reason where it was refused."""
    ticket = ticket_of(request, number)
    try:
        with transaction.atomic():
            service(ticket_id=ticket.pk, actor=actor_of(request), at=clock.now(), **arguments)
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(ticket)


def own_field(form: Any, error: DomainError) -> str | None:
    """Return the field that a refusal belongs to, if the form has it."""
    return error.field if error.field in form.fields else None
