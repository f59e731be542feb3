"""One scope per request, around view and rendering (both are lazy in Django: the scope cannot be in the view)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from core.tenancy import scope as scopes

# Sign-in comes before any tenant; these paths stay with the login role. Providers' notifications carry their own proof
# and open the scope they need.
UNSCOPED_PREFIXES = ("/accounts/", "/healthz/", "/callbacks/", "/static/")


class TenantScopeMiddleware:
    """Staff sees across tenants, a signed-in customer their active tenant, a visitor what the login role may see.

    Expects ``request.portal`` from ``accounts.middleware.IdentityMiddleware``. A response of
    status 500 and above and an
    exception in the view roll back everything the request wrote.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        if request.path_info.startswith(UNSCOPED_PREFIXES):
            return self.get_response(request)
        with self._scope(request):
            response = self.get_response(request)
            if response.status_code >= 500 and scopes.current() is not None:  # noqa: PLR2004
                transaction.set_rollback(True)
            return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Roll back what was written outside the view's own transaction."""
        if scopes.current() is not None:
            transaction.set_rollback(True)

    @staticmethod
    def _scope(request: HttpRequest) -> AbstractContextManager[object]:
        identity = request.portal  # type: ignore[attr-defined]
        if identity.is_staff:
            return scopes.staff()
        if identity.tenant_id is not None:
            return scopes.customer(identity.tenant_id)
        return nullcontext()
