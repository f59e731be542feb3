"""What operators watch: whether the portal's parts are alive, and the demo's clock."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import actor_of, staff_view
from accounts.forms import ClockForm
from accounts.models.users import StaffRole
from accounts.selectors import sweep_failures, worker_lag
from accounts.services.audit import audit_record
from core import clock
from core.exceptions import DomainError


@staff_view(StaffRole.OPERATOR)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show the pulse of the workers, the clock, and the way to the other desks."""
    return _overview(request, ClockForm())


@staff_view(StaffRole.OPERATOR)
@require_POST
def clock_advance(request: HttpRequest) -> HttpResponse:
    """Move the demo's clock forward, to an instant or by a span."""
    form = ClockForm(request.POST)
    if not form.is_valid():
        return _overview(request, form, status=400)
    before = clock.now()
    target = form.cleaned_data.get("until") or before + timedelta(hours=form.cleaned_data["hours"])
    try:
        after = clock.advance(target - before)
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        audit_record(
            action="core.clock_advance",
            subject=f"{clock.local(after):%Y-%m-%d %H:%M:%S}",
            actor=actor_of(request),
            at=before,
            tenant_id=None,
        )
        messages.success(
            request, _("时钟已前移到 %(at)s") % {"at": f"{clock.local(after):%Y-%m-%d %H:%M:%S}"}
        )
    return redirect("accounts:operations")


def _overview(request: HttpRequest, form: ClockForm, *, status: int = 200) -> HttpResponse:
    offset = clock.offset()
    context = {
        "lag": worker_lag(),
        "failures": sweep_failures(),
        "form": form,
        "offset": offset,
        "is_moved": offset > timedelta(0),
    }
    return render(request, "accounts/operations.html", context, status=status)
