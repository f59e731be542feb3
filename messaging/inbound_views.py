"""Where mail comes in by webhook, and the operators' log of what came."""

from __future__ import annotations

import hashlib
import hmac
from http import HTTPStatus

from django.conf import settings
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.access import staff_view
from accounts.models.users import StaffRole
from core import clock
from core.tenancy import scope
from messaging import receiving, selectors
from messaging.states import InboundState, InboundWay

PAGE_SIZE = 20
SIGNED_WITHIN_SECONDS = 300


# Not one transaction with the request: the sender may forget the mail only after the commit.
@transaction.non_atomic_requests
@csrf_exempt
@require_POST
def mail_receive(request: HttpRequest) -> HttpResponse:
    """Take a raw mail (RFC 5322) from the mail server's hook; 202 says that it is kept, also if it was before.

    ``X-Portal-Signature`` is the hexadecimal HMAC-SHA256 of ``<X-Portal-Timestamp>.<body>`` with MAIL_WEBHOOK_SECRET,
    the timestamp in Unix seconds and not older than five minutes.
    """
    if not settings.MAIL_WEBHOOK_SECRET:
        raise Http404
    raw = request.read(settings.MAIL_MAX_BYTES + 1)
    if len(raw) > settings.MAIL_MAX_BYTES:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if not raw or not _is_signed(request, raw):
        return HttpResponse(status=HTTPStatus.FORBIDDEN)
    with scope.staff():
        receiving.mail_receive(raw=raw, way=InboundWay.WEBHOOK, at=clock.now())
    return HttpResponse(status=HTTPStatus.ACCEPTED)


@staff_view(StaffRole.OPERATOR)
@require_safe
def inbound_list(request: HttpRequest) -> HttpResponse:
    """Show what came in and what became of it, with the reason for what was not taken over."""
    state = request.GET.get("state", "")
    found = selectors.inbound_mails(state if state in InboundState.values else "")
    context = {
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "states": InboundState.choices,
        "state": state,
    }
    return render(request, "messaging/inbound_list.html", context)


@staff_view(StaffRole.OPERATOR)
@require_POST
def inbound_retry(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Read a refused mail again."""
    if not receiving.mail_retry(mail_id=mail_id, at=clock.now()):
        raise Http404
    return redirect("messaging:inbound_list")


def _is_signed(request: HttpRequest, raw: bytes) -> bool:
    """Return True for a fresh signature. The real clock decides: the sender knows no other."""
    stamp = request.headers.get("X-Portal-Timestamp", "")
    if not stamp.isdecimal() or len(stamp) > 12:  # noqa: PLR2004
        return False
    if (
        abs(clock.now().timestamp() - clock.offset().total_seconds() - int(stamp))
        > SIGNED_WITHIN_SECONDS
    ):
        return False
    secret = settings.MAIL_WEBHOOK_SECRET.encode()
    expected = hmac.new(secret, f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(
        expected.encode(), request.headers.get("X-Portal-Signature", "").encode()
    )
