"""Language by choice, and the identity that every later layer asks for."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from accounts.access import Identity
from accounts.models import Membership, StaffMember

TENANT_SESSION_KEY = "tenant_id"
GetResponse = Callable[[HttpRequest], HttpResponse]


class LanguageMiddleware:
    """Chinese unless the person chose otherwise (a cookie). The browser's own language does not decide."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
            return response


class IdentityMiddleware:
    """Set ``request.portal``. Reads as the login role, before any scope: one query for staff, one for memberships."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        request.portal = self._identity(request)  # type: ignore[attr-defined]
        return self.get_response(request)

    @staticmethod
    def _identity(request: HttpRequest) -> Identity:
        if not request.user.is_authenticated:
            return Identity()
        user = request.user
        if user.is_staff:
            staff = StaffMember.objects.filter(user=user, is_active=True).first()
            return Identity(user=user, staff=staff)
        memberships = tuple(
            Membership.objects.filter(user=user, is_active=True, tenant__is_active=True)
            .select_related("tenant")
            .order_by("id")
        )
        wanted = request.session.get(TENANT_SESSION_KEY)
        active = next(
            (m for m in memberships if m.tenant_id == wanted),
            memberships[0] if memberships else None,
        )
        return Identity(user=user, membership=active, memberships=memberships)
