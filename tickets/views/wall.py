"""The leads' wall: what breaks next, who can take it, and taking care of it from there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import actor_of, identity_of, staff_view
from accounts.models.users import StaffRole
from core import clock
from core.exceptions import DomainError
from core.htmx import htmx_of
from messaging import live
from tickets.exceptions import TicketNotChosen
from tickets.live import CONSOLE
from tickets.selectors import queue
from tickets.selectors.wall import AHEAD, wall_at
from tickets.services import assignment
from tickets.services.outages import LATE_SECONDS

# Time alone moves tickets onto the wall: it is painted anew so often when nothing happens.
REPAINT_SECONDS = 15

leads = staff_view(StaffRole.TEAM_LEAD, StaffRole.DUTY_MANAGER)


@leads
@require_safe
def wall(request: HttpRequest) -> HttpResponse:
    """Show the wall."""
    return render(request, "tickets/wall.html", _board(request, clock.now()))


@leads
@require_safe
def wall_live(request: HttpRequest) -> HttpResponse:
    """Answer 204 while the wall shows what is there, else the wall."""
    at = clock.now()
    if request.GET.get("version") == _version(at):
        return HttpResponse(status=204)
    return render(request, "tickets/wall.html#wall-board", _board(request, at))


@leads
@require_POST
def wall_assign(request: HttpRequest) -> HttpResponse:
    """Hand the chosen ticket to someone else."""
    at = clock.now()
    ticket_id = queue.ticket_id_for_staff(request.POST.get("number", ""))
    chosen = request.POST.get("assignee", "")
    try:
        if ticket_id is None:
            raise TicketNotChosen
        with transaction.atomic():
            assignment.ticket_assign(
                ticket_id=ticket_id,
                staff_member_id=int(chosen) if chosen.isdecimal() else 0,
                actor=actor_of(request),
                at=at,
            )
    except DomainError as error:
        messages.error(request, str(error.message))
    if not htmx_of(request):
        return redirect("tickets:wall")
    return render(request, "tickets/wall.html#wall-board", _board(request, at))


def _version(at: datetime) -> str:
    return f"{live.version(CONSOLE)}-{int(at.timestamp()) // REPAINT_SECONDS}"


def _board(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """Return what the wall shows. The version is read first: what comes later is polled again."""
    version = _version(at)
    staff = identity_of(request).staff
    if staff is None:
        raise Http404
    shown = wall_at(at, staff=staff)
    return {
        "wall": shown,
        "version": version,
        "minutes": int(AHEAD.total_seconds()) // 60,
        "late_timers": shown.lag_seconds > LATE_SECONDS,
        "assignees": list(queue.assignees()),
        "at": at,
    }
