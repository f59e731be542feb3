"""Whether the timers are on time: for operators, and for monitoring."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import staff_view
from accounts.models.users import StaffRole
from core import clock
from core.tenancy import scope
from tickets.selectors.outages import outages_recent
from tickets.services.outages import LATE_SECONDS
from tickets.services.sweeps import sweep_lag_seconds


@require_safe
def timers_health(request: HttpRequest) -> HttpResponse:
    """Answer 200 while stages are recorded in time, 503 with the lag when they are late. For anybody who monitors."""
    with scope.staff():
        lag = sweep_lag_seconds(clock.now())
    is_late = lag > LATE_SECONDS
    state = {"status": "late" if is_late else "ok", "lag_seconds": round(lag, 1)}
    return JsonResponse(state, status=503 if is_late else 200)


@staff_view(StaffRole.OPERATOR)
@require_safe
def timers_panel(request: HttpRequest) -> HttpResponse:
    """Show the lag and the latest outages, as a part of the operators' page."""
    lag = sweep_lag_seconds(clock.now())
    context = {"lag": lag, "is_late": lag > LATE_SECONDS, "outages": outages_recent()}
    return render(request, "tickets/timers_panel.html", context)
