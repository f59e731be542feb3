"""Who really asks, behind reverse proxies of our own."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse


class ClientAddressMiddleware:
    """Put the client's address into ``REMOTE_ADDR``.

    Each of the ``TRUSTED_PROXY_COUNT`` proxies appends whom it saw to X-Forwarded-For; what stands further left was
    written by the client. Raises BadRequest when the header is shorter than the proxies make it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on. The health check comes from the machine itself, past the proxies."""
        if settings.TRUSTED_PROXY_COUNT and request.path_info != "/healthz/":
            seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
            if len(seen) < settings.TRUSTED_PROXY_COUNT or not seen[0].strip():
                raise BadRequest("X-Forwarded-For is shorter than TRUSTED_PROXY_COUNT")
            request.META["REMOTE_ADDR"] = seen[-settings.TRUSTED_PROXY_COUNT].strip()
        return self.get_response(request)
