"""In-site messages of customers and staff, and the operators' list of what failed."""

from __future__ import annotations

from typing import cast

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import identity_of, person_view, staff_view
from accounts.models import User
from accounts.models.users import StaffRole
from core import clock
from messaging import live, selectors, services

PAGE_SIZE = 20


def reader_of(request: HttpRequest) -> User:
    """Return the person behind a request that ``person_view`` has let in."""
    return cast("User", identity_of(request).user)


@person_view
@require_safe
def message_list(request: HttpRequest) -> HttpResponse:
    """Show the person's messages, newest first."""
    identity = identity_of(request)
    page = Paginator(selectors.inbox_for(reader_of(request)), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    base = "base_desk.html" if identity.is_staff else "base_portal.html"
    return render(request, "messaging/message_list.html", {"page": page, "base": base})


@person_view
@require_POST
def message_open(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Mark one message as read and go where it leads."""
    reader = reader_of(request)
    delivery = selectors.inbox_for(reader).filter(pk=delivery_id).first()
    if delivery is None:
        raise Http404
    services.inbox_read(user=reader, delivery_ids=[delivery.pk], at=clock.now())
    return redirect(delivery.url or "messaging:message_list")


@person_view
@require_POST
def messages_read(request: HttpRequest) -> HttpResponse:
    """Mark everything as read."""
    services.inbox_read(user=reader_of(request), delivery_ids=None, at=clock.now())
    return redirect("messaging:message_list")


@require_safe
def unread_count(request: HttpRequest) -> HttpResponse:
    """Answer the bell's poll: 204 while the version the page knows is still the newest."""
    identity = identity_of(request)
    user = identity.user
    if user is None or not (identity.is_customer or identity.is_staff):
        return HttpResponse(status=204)
    version = live.version(user.pk)
    if request.GET.get("version") == str(version):
        return HttpResponse(status=204)
    context = {"version": version, "unread": selectors.unread_count_for(user)}
    return render(request, "components/bell.html", context)


@staff_view(StaffRole.OPERATOR)
@require_safe
def delivery_failed_list(request: HttpRequest) -> HttpResponse:
    """Show what could not be delivered."""
    context = {
        "deliveries": selectors.deliveries_failed()[:PAGE_SIZE],
        "stuck": selectors.messages_stuck()[:PAGE_SIZE],
    }
    return render(request, "messaging/delivery_failed_list.html", context)


@staff_view(StaffRole.OPERATOR)
@require_POST
def delivery_retry(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Try a failed delivery again."""
    if not services.delivery_retry(delivery_id=delivery_id, at=clock.now()):
        raise Http404
    return redirect("messaging:delivery_failed_list")
