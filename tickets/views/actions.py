"""What a customer can do about a ticket with one press: confirm, urge, raise, recall, watchers."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import customer_view
from tickets.services import coverages, recalls, urges, watchers
from tickets.services import tickets as services
from tickets.views.common import act


@customer_view()
@require_POST
def ticket_confirm(request: HttpRequest, number: str) -> HttpResponse:
    """Close the ticket by the customer's word."""
    return act(request, number, services.ticket_confirm)


@customer_view()
@require_POST
def ticket_urge(request: HttpRequest, number: str) -> HttpResponse:
    """Urge the ticket, once per target period."""
    return act(request, number, urges.ticket_urge)


@customer_view()
@require_POST
def severity_raise(request: HttpRequest, number: str) -> HttpResponse:
    """Make a general ticket urgent."""
    return act(request, number, coverages.severity_raise)


@customer_view()
@require_POST
def message_recall(request: HttpRequest, number: str, message_id: int) -> HttpResponse:
    """Take back an own message."""
    return act(request, number, recalls.message_recall, message_id=message_id)


@customer_view()
@require_POST
def watcher_add(request: HttpRequest, number: str) -> HttpResponse:
    """Let a colleague follow the ticket."""
    chosen = request.POST.get("user", "")
    if not chosen.isdecimal():
        messages.error(request, _("请选择要添加的授权员工"))
        chosen = "0"
    return act(request, number, watchers.watcher_add, user_id=int(chosen[:18]))


@customer_view()
@require_POST
def watcher_remove(request: HttpRequest, number: str, user_id: int) -> HttpResponse:
    """Let someone follow the ticket no longer."""
    return act(request, number, watchers.watcher_remove, user_id=user_id)
