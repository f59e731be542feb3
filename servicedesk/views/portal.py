"""Customers: my service orders 我的服务单 (guide 3.6)."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import actor_of, customer_view, identity_of
from core import clock
from core.exceptions import DomainError
from core.files import serve_private
from servicedesk import selectors
from servicedesk.forms import RatingForm
from servicedesk.models import Deliverable, ServiceOrder
from servicedesk.services import service_orders
from servicedesk.states import DeliverableKind
from supportplans.models import ServiceItem

PAGE_SIZE = 10


@customer_view()
@require_safe
def service_order_list(request: HttpRequest) -> HttpResponse:
    """List the tenant's service orders by state, with filters, total and page jump."""
    orders = selectors.service_order_filtered(
        selectors.service_order_list_for(identity_of(request)).prefetch_related("ratings"),
        request.GET,
    )
    page = Paginator(orders, PAGE_SIZE).get_page(request.GET.get("page"))
    items = ServiceItem.objects.filter(
        pk__in=selectors.service_order_list_for(identity_of(request)).order_by().values("item_id")
    )
    context = {
        "page": page,
        "views": selectors.service_order_views(identity_of(request)),
        "state": request.GET.get("state", ""),
        "items": items,
    }
    return render(request, "servicedesk/service_order_list.html", context)


@customer_view()
@require_safe
def service_order_detail(request: HttpRequest, number: str) -> HttpResponse:
    """Show base data, item data, files, history and the rating."""
    return _detail(request, _order(request, number), None)


@customer_view()
@require_POST
def service_order_rate(request: HttpRequest, number: str) -> HttpResponse:
    """Rate a completed service order; what was typed stays when it is refused."""
    order = _order(request, number)
    form = RatingForm(request.POST)
    if form.is_valid():
        try:
            service_orders.service_order_rate(
                order_id=order.pk, actor=actor_of(request), at=clock.now(), **form.cleaned_data
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("评价已提交，7 天内可修改"))
            return redirect(order)
    return _detail(request, order, form)


@customer_view()
@require_POST
def risk_letter_confirm(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Confirm a risk letter in the page."""
    letters = Deliverable.objects.filter(kind=DeliverableKind.RISK_LETTER).select_related(
        "service_order__item"
    )
    letter = get_object_or_404(letters, pk=pk, service_order=_order(request, number))
    if service_orders.risk_letter_confirm(
        deliverable=letter, actor=actor_of(request), at=clock.now()
    ):
        messages.success(request, _("风险确认函已确认"))
    return redirect("servicedesk:service_order_detail", number)


@customer_view()
@require_safe
def deliverable_download(request: HttpRequest, number: str, pk: int) -> FileResponse:
    """Hand out a file of one's own service order, as an attachment."""
    found = get_object_or_404(Deliverable, pk=pk, service_order=_order(request, number))
    return serve_private(found.file, name=found.name, content_type=found.content_type)


def _order(request: HttpRequest, number: str) -> ServiceOrder:
    orders = selectors.service_order_list_for(identity_of(request))
    return get_object_or_404(selectors.service_order_with_parts(orders), number=number)


def _detail(request: HttpRequest, order: ServiceOrder, form: RatingForm | None) -> HttpResponse:
    rating = next(iter(order.ratings.all()), None)
    if form is None:
        given = (
            {"speed": rating.speed, "quality": rating.quality, "suggestion": rating.suggestion}
            if rating
            else None
        )
        form = RatingForm(initial=given)
    context = {
        "order": order,
        "rating": rating,
        "form": form,
        "rating_open": selectors.rating_open(order, rating, clock.now()),
    }
    status = 400 if form.errors else 200
    return render(request, "servicedesk/service_order_detail.html", context, status=status)
