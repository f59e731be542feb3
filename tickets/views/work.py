"""What agents do with one ticket beyond answering: the work panel beside the conversation, and each of its forms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import actor_of, identity_of, staff_view
from core import clock
from core.exceptions import DomainError
from core.htmx import htmx_of
from supportplans.states import Severity
from tickets.desk_states import RequirementStage, TransferTarget
from tickets.exceptions import LinkRefused, MergeRefused
from tickets.models import Incident, ScopeItem, Ticket
from tickets.selectors.queue import ticket_for_staff
from tickets.selectors.tags import tag_counts
from tickets.selectors.work import work_of
from tickets.services import (
    assignment,
    incidents,
    links,
    merging,
    requirements,
    scope_limits,
    severities,
    splitting,
    tags,
)
from tickets.states import CONSOLE_ROLES, WORKING_ROLES

workers = staff_view(*sorted(WORKING_ROLES))
Work = Callable[[HttpRequest, Ticket, dict[str, Any]], Ticket | None]


def work_form(work: Work) -> Callable[[HttpRequest, str], HttpResponseBase]:
    """Make a view of one form: do the work, say what was refused, show the panel again.

    ``work`` gets the request, the ticket and ``actor`` and ``at`` for its service; the ticket that it returns is
    gone to.
    """

    @workers
    @require_POST
    def view(request: HttpRequest, number: str) -> HttpResponse:
        ticket = _ticket(number)
        given = {"actor": actor_of(request), "at": clock.now()}
        goes_to = None
        try:
            with transaction.atomic():
                goes_to = work(request, ticket, given)
        except DomainError as error:
            messages.error(request, str(error.message))
        if goes_to is not None:
            return _go(request, goes_to)
        if htmx_of(request):
            return _panel(request, number)
        return redirect("tickets:console_ticket", number)

    view.__name__ = work.__name__
    view.__doc__ = work.__doc__
    return view


@staff_view(*CONSOLE_ROLES)
@require_safe
def console_work(request: HttpRequest, number: str) -> HttpResponse:
    """Show tags, links, incident, the requirement's track, and what can be done."""
    return _panel(request, number)


@staff_view(*CONSOLE_ROLES)
@require_safe
def console_tag_menu(request: HttpRequest) -> HttpResponse:
    """Show the catalogue as links that hold the queue to one tag; loaded when the menu opens."""
    place = {name: request.GET[name] for name in ("view", "desk") if name in request.GET}
    context = {
        "tag_counts": tag_counts(),
        "here": urlencode(place),
        "tag": request.GET.get("tag", ""),
    }
    return render(request, "tickets/console_tag_menu.html", context)


@work_form
def console_transfer(request: HttpRequest, ticket: Ticket, given: dict[str, Any]) -> None:
    """Give the ticket to engineers or another desk, with a reason for colleagues."""
    target = _choice(TransferTarget, request.POST.get("target", ""))
    reason = request.POST.get("reason", "")[:2000]
    assignment.ticket_transfer(ticket_id=ticket.pk, target=target, reason=reason, **given)
    messages.success(request, _("已转交 %(target)s") % {"target": target.label})


@work_form
def console_tags(request: HttpRequest, ticket: Ticket, given: dict[str, Any]) -> None:
    """Give the ticket exactly the ticked tags."""
    chosen = [int(tag) for tag in request.POST.getlist("tags") if tag.isdecimal()]
    tags.ticket_tags_set(ticket_id=ticket.pk, tag_ids=chosen, **given)


@work_form
def console_severity_set(request: HttpRequest, ticket: Ticket, given: dict[str, Any]) -> None:
    """Raise or lower the severity, with a reason for colleagues."""
    severity = _choice(Severity, request.POST.get("severity", ""))
    reason = request.POST.get("reason", "")[:2000]
    severities.severity_set(ticket_id=ticket.pk, severity=severity, reason=reason, **given)


@work_form
def console_merge(request: HttpRequest, ticket: Ticket, given: dict[str, Any]) -> Ticket:
    """Merge the ticket into the one whose number was given, and go there."""
    target = ticket_for_staff(request.POST.get("number", "").strip())
    if target is None:
        raise MergeRefused(field="number")
    merged = merging.ticket_merge(ticket_id=ticket.pk, into_id=target.pk, **given)
    messages.success(request, _("已合并至工单 %(number)s") % {"number": merged.number})
    return merged


@work_form
def console_link(request: HttpRequest, ticket: Ticket, given: dict[str, Any]) -> None:
    """Link the ticket with the one whose number was given."""
    links.link_add(ticket_id=ticket.pk, other_id=_other(request), **given)


@work_form
def console_unlink(request: HttpRequest, ticket: Ticket, given: dict[str, Any]) -> None:
    """Take a link away."""
    links.link_remove(ticket_id=ticket.pk, other_id=_other(request), **given)


@work_form
def console_split(request: HttpRequest, ticket: Ticket, given: dict[str, Any]) -> Ticket:
    """Make a ticket of its own of a message and what follows, and go there."""
    message = request.POST.get("message", "")
    fresh = splitting.ticket_split(
        ticket_id=ticket.pk,
        message_id=int(message) if message.isdecimal() else 0,
        title=request.POST.get("title", "")[:200],
        **given,
    )
    messages.success(request, _("已拆分为工单 %(number)s") % {"number": fresh.number})
    return fresh


@work_form
def console_incident(request: HttpRequest, ticket: Ticket, given: dict[str, Any]) -> None:
    """Put the ticket under an incident that is there, a new one, or none."""
    chosen, title = request.POST.get("incident", ""), request.POST.get("title", "")[:120]
    incident_id = int(chosen) if chosen.isdecimal() else None
    if title.strip():
        incident_id = incidents.incident_open(
            title=title, product_line=ticket.product_line, **given
        ).pk
    elif incident_id is not None and not Incident.objects.filter(pk=incident_id).exists():
        raise Http404
    incidents.ticket_incident_set(ticket_id=ticket.pk, incident_id=incident_id, **given)


@work_form
def console_out_of_scope(request: HttpRequest, ticket: Ticket, given: dict[str, Any]) -> None:
    """Close the ticket as out of scope, with the standard explanation of the chosen item."""
    chosen = request.POST.get("item", "")
    item = ScopeItem.objects.filter(
        pk=int(chosen) if chosen.isdecimal() else 0, is_active=True
    ).first()
    if item is None:
        raise Http404
    scope_limits.ticket_close_out_of_scope(ticket_id=ticket.pk, scope_item_id=item.pk, **given)
    messages.success(request, _("已发送标准说明并关闭工单"))


@work_form
def console_requirement(request: HttpRequest, ticket: Ticket, given: dict[str, Any]) -> None:
    """Move the requirement on; the customer is told."""
    requirements.requirement_move(
        ticket_id=ticket.pk,
        stage=_choice(RequirementStage, request.POST.get("stage", "")),
        comment=request.POST.get("comment", "")[:500],
        planned_for=_day(request.POST.get("planned_for", "")),
        **given,
    )


def _panel(request: HttpRequest, number: str) -> HttpResponse:
    ticket = _ticket(number)
    identity = identity_of(request)
    context = {
        "ticket": ticket,
        "can_work": identity.has_staff_role(*WORKING_ROLES),
        "at": clock.now(),
        **work_of(ticket),
    }
    return render(request, "tickets/console_work.html", context)


def _go(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    answer = redirect("tickets:console_ticket", ticket.number)
    return HttpResponseClientRedirect(answer.url) if htmx_of(request) else answer


def _ticket(number: str) -> Ticket:
    ticket = ticket_for_staff(number)
    if ticket is None:
        raise Http404
    return ticket


def _other(request: HttpRequest) -> int:
    other = ticket_for_staff(request.POST.get("number", "").strip())
    if other is None:
        raise LinkRefused(field="number")
    return other.pk


def _choice(choices: Any, value: str) -> Any:
    """Return the member of a closed set. Raises Http404 for what no form offers."""
    if value not in choices.values:
        raise Http404
    return choices(value)


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
