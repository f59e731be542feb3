"""Account managers' desk: what waits, filing for customers, delivery."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actor_of, identity_of, staff_view
from accounts.models.users import StaffRole
from core import clock
from core.exceptions import DomainError
from core.files import serve_private
from servicedesk import selectors
from servicedesk.calendar import month_weeks
from servicedesk.forms import FilingForm, ReasonForm, UploadForm
from servicedesk.models import Deliverable, ServiceOrder
from servicedesk.services import service_orders
from servicedesk.states import Origin, State
from servicedesk.tiles import desk_tiles, plans_of, portfolio
from supportplans.models import ServiceItem

PAGE_SIZE = 50
APPROVALS_SHOWN = 6
CALENDAR_WEEKS = 4
CALENDAR_REACH_DAYS = 3 * 366
NEEDS_REASON = frozenset({"reject", "cancel"})
WEEKDAYS = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
ROLES = (StaffRole.ACCOUNT_MANAGER, StaffRole.FILING_STEWARD, StaffRole.TEAM_LEAD)


@staff_view(*ROLES)
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show what waits for the manager: approvals, windows, the portfolio's health."""
    now = clock.now()
    staff = identity_of(request).staff
    first = _first_monday(request.GET.get("from", ""), now)
    shown = timedelta(weeks=CALENDAR_WEEKS)
    windows = selectors.windows_between(first, first + shown)
    waiting = selectors.service_order_list_for(identity_of(request)).filter(
        state=State.REQUESTED, tenant__account_manager=staff
    )
    approvals = list(waiting[:APPROVALS_SHOWN])
    plans = plans_of({order.tenant_id for order in approvals})
    today = clock.local(now)
    context = {
        "tiles": desk_tiles(staff, now),
        "portfolio": portfolio(staff, now),
        "waiting": [(order, plans.get(order.tenant_id)) for order in approvals],
        "today": today,
        "weekday": WEEKDAYS[today.weekday()],
        "first": first,
        "last": first + shown - timedelta(days=1),
        "earlier": first - shown,
        "later": first + shown,
        "weeks": month_weeks(first, CALENDAR_WEEKS, windows, now),
        "weekday_names": WEEKDAYS,
    }
    return render(request, "servicedesk/dashboard.html", context)


@staff_view(*ROLES)
@require_safe
def service_order_list(request: HttpRequest) -> HttpResponse:
    """List all customers' service orders by key, newest first."""
    orders = selectors.service_order_filtered(
        selectors.service_order_list_for(identity_of(request)),
        request.GET,
    )
    after = request.GET.get("after", "")
    if after.isdigit():
        orders = orders.filter(pk__lt=int(after))
    found = list(orders[: PAGE_SIZE + 1])
    context = {
        "orders": found[:PAGE_SIZE],
        "next_after": found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else None,
        "states": State.choices,
        "items": ServiceItem.objects.all(),
    }
    return render(request, "servicedesk/desk_service_order_list.html", context)


@staff_view(*ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def service_order_new(request: HttpRequest) -> HttpResponse:
    """File a service order for a customer; a refusal stands beside its field and loses nothing."""
    form = FilingForm(request.POST or None, initial={"tenant": request.GET.get("tenant")})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            order = service_orders.service_order_file(
                tenant_id=data["tenant"].pk,
                item_code=data["item"].code,
                scenario=data["scenario"],
                contact=data["contact"],
                delivery=data["delivery"],
                fields={"检查范围": data["scope"]} if data["scope"] else {},
                origin=Origin.MANAGER,
                actor=actor_of(request),
                at=clock.now(),
            )
        except DomainError as error:
            form.add_error(error.field, str(error.message))
        else:
            return redirect("servicedesk:desk_service_order_detail", order.number)
    status = 400 if form.errors else 200
    return render(request, "servicedesk/desk_service_order_new.html", {"form": form}, status=status)


@staff_view(*ROLES)
@require_safe
def service_order_detail(request: HttpRequest, number: str) -> HttpResponse:
    """Show an order to those who deliver it."""
    return _detail(request, _order(request, number))


@staff_view(*ROLES)
@require_POST
def deliverable_upload(request: HttpRequest, number: str) -> HttpResponse:
    """Add a file."""
    order = _order(request, number)
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            service_orders.deliverable_add(
                order_id=order.pk,
                kind=form.cleaned_data["kind"],
                upload=form.cleaned_data["file"],
                actor=actor_of(request),
                at=clock.now(),
            )
        except DomainError as error:
            form.add_error("file", str(error.message))
        else:
            return redirect("servicedesk:desk_service_order_detail", number)
    return _detail(request, order, form=form)


@staff_view(*ROLES)
@require_POST
def service_order_move(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """Approve, complete, reject or cancel."""
    order, actor, now = _order(request, number), actor_of(request), clock.now()
    form = ReasonForm(request.POST)
    if action in NEEDS_REASON and not form.is_valid():
        return _detail(request, order, reason_form=form)
    reason = form.cleaned_data["reason"] if action in NEEDS_REASON else ""
    try:
        if action == "approve":
            service_orders.service_order_approve(order_id=order.pk, actor=actor, at=now)
        elif action == "complete":
            service_orders.service_order_complete(order_id=order.pk, actor=actor, at=now)
        elif action == "reject":
            service_orders.service_order_reject(
                order_id=order.pk, reason=reason, actor=actor, at=now
            )
        elif action == "cancel":
            service_orders.service_order_cancel(
                order_id=order.pk, reason=reason, actor=actor, at=now
            )
        else:
            raise Http404
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("servicedesk:desk_service_order_detail", number)


@staff_view(*ROLES)
@require_safe
def deliverable_download(request: HttpRequest, number: str, pk: int) -> FileResponse:
    """Hand out a file to staff."""
    found = get_object_or_404(Deliverable, pk=pk, service_order=_order(request, number))
    return serve_private(found.file, name=found.name, content_type=found.content_type)


def _first_monday(asked: str, now: datetime) -> datetime:
    """Return the Monday, midnight in Shanghai, of the week of ``asked`` (YYYY-MM-DD), else of this week."""
    today = clock.local(now).date()
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        day = today
    # A calendar of far years would only break the arithmetic of dates.
    if abs((day - today).days) > CALENDAR_REACH_DAYS:
        day = today
    monday = day - timedelta(days=day.weekday())
    return datetime.combine(monday, time.min, tzinfo=clock.SHANGHAI)


def _order(request: HttpRequest, number: str) -> ServiceOrder:
    orders = selectors.service_order_list_for(identity_of(request))
    return get_object_or_404(selectors.service_order_with_parts(orders), number=number)


def _detail(
    request: HttpRequest,
    order: ServiceOrder,
    *,
    form: UploadForm | None = None,
    reason_form: ReasonForm | None = None,
) -> HttpResponse:
    """Show the order; a form that was refused is shown with what was typed."""
    context = {
        "order": order,
        "form": form or UploadForm(),
        "reason_form": reason_form or ReasonForm(),
        "rating": next(iter(order.ratings.all()), None),
    }
    status = 400 if form or reason_form else 200
    return render(request, "servicedesk/desk_service_order_detail.html", context, status=status)
