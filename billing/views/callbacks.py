"""Where providers send their notifications. They carry their own proof: no session, no scope but its own."""

from __future__ import annotations

from http import HTTPStatus

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.exceptions import ProviderUnavailable
from billing.providers.registry import provider_get
from billing.services.payments import notification_receive
from core import clock
from core.tenancy import scope

BODY_MAX_BYTES = 64 * 1024


# Not one transaction with the request: "success" may be said only after the commit.
@transaction.non_atomic_requests
@csrf_exempt
@require_POST
def payment_notify(request: HttpRequest, provider: str) -> HttpResponse:
    """Take a notification; answer in the provider's words whether it may stop sending it."""
    try:
        adapter = provider_get(provider)
    except ProviderUnavailable:
        raise Http404 from None
    if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_MAX_BYTES:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    body = request.body
    with scope.staff():
        done, _kept = notification_receive(
            provider_code=provider, body=body, headers=dict(request.headers), at=clock.now()
        )
    if done:
        return HttpResponse(adapter.answer_ok, content_type="text/plain")
    return HttpResponse(
        adapter.answer_again, status=HTTPStatus.BAD_REQUEST, content_type="text/plain"
    )
