"""Where a person lands after signing in."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.access import identity_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Send each person to their own first page."""
    identity = identity_of(request)
    if identity.user is None:
        return redirect_to_login(request.get_full_path())
    return redirect("admin:index" if identity.is_staff else "/")
