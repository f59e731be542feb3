"""Who takes tickets (each for themselves, the lead for all), and incidents."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actor_of, identity_of, staff_view
from accounts.models import StaffMember
from accounts.models.users import StaffRole
from core import clock
from core.exceptions import DomainError
from core.htmx import htmx_of
from tickets.models import Incident
from tickets.selectors.agents import agent_list, agent_of
from tickets.selectors.work import incident_list, incident_tickets
from tickets.services.incidents import incident_end, incident_open
from tickets.services.routing import availability_set
from tickets.states import CONSOLE_ROLES, DEALT_ROLES, WORKING_ROLES

LEADS = (StaffRole.TEAM_LEAD, StaffRole.DUTY_MANAGER)


@staff_view(*CONSOLE_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def console_availability(request: HttpRequest) -> HttpResponse:
    """Show in the top bar whether one takes tickets and how many one has; change it. Nothing for those who get none."""
    card = _card(request)
    if not DEALT_ROLES & set(card.roles):
        if request.method == "POST":
            raise PermissionDenied
        return HttpResponse()
    if request.method == "POST":
        _set(request, card)
        if not htmx_of(request):
            return redirect("tickets:console")
    return render(request, "tickets/console_availability.html", {"agent": agent_of(card)})


@staff_view(*LEADS)
@require_safe
def agents(request: HttpRequest) -> HttpResponse:
    """Show the lead who takes tickets, who is full, and whose next deadline is near."""
    return render(request, "tickets/agent_list.html", {"agents": agent_list(), "at": clock.now()})


@staff_view(*LEADS)
@require_POST
def agent_set(request: HttpRequest, card_id: int) -> HttpResponse:
    """Start or stop somebody's taking of tickets, or change how many they get at a time."""
    _set(request, get_object_or_404(StaffMember, pk=card_id, is_active=True))
    return redirect("tickets:agents")


@staff_view(*CONSOLE_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def incidents(request: HttpRequest) -> HttpResponse:
    """List incidents; open one."""
    if request.method == "POST":
        _may_work(request)
        try:
            with transaction.atomic():
                incident = incident_open(
                    title=request.POST.get("title", "")[:120],
                    product_line=None,
                    actor=actor_of(request),
                    at=clock.now(),
                )
        except DomainError as error:
            messages.error(request, str(error.message))
            return redirect("tickets:incidents")
        return redirect("tickets:incident", incident.pk)
    return render(request, "tickets/incident_list.html", {"incidents": incident_list()})


@staff_view(*CONSOLE_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def incident(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Show an incident with its tickets of all customers; say that it is over."""
    found = get_object_or_404(Incident.objects.select_related("product_line"), pk=incident_id)
    if request.method == "POST":
        _may_work(request)
        try:
            with transaction.atomic():
                incident_end(incident_id=found.pk, actor=actor_of(request), at=clock.now())
        except DomainError as error:
            messages.error(request, str(error.message))
        return redirect("tickets:incident", found.pk)
    tickets = incident_tickets(found)
    return render(request, "tickets/incident_detail.html", {"incident": found, "tickets": tickets})


def _set(request: HttpRequest, card: StaffMember) -> None:
    """Write what the form says; a capacity that was not given stays."""
    capacity = request.POST.get("capacity", "")
    try:
        with transaction.atomic():
            availability_set(
                staff_member_id=card.pk,
                is_accepting=request.POST.get("accepting") == "yes",
                capacity=int(capacity) if capacity.isdecimal() else None,
                actor=actor_of(request),
                at=clock.now(),
            )
    except DomainError as error:
        messages.error(request, str(error.message))


def _card(request: HttpRequest) -> StaffMember:
    card = identity_of(request).staff
    if card is None:
        raise Http404
    return card


def _may_work(request: HttpRequest) -> None:
    """Raise PermissionDenied for those who only look."""
    if not identity_of(request).has_staff_role(*WORKING_ROLES):
        raise PermissionDenied
