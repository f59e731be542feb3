"""Where a person lands, which tenant they work for, how the portal looks to them; and whether it is well."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.access import identity_of
from accounts.context_processors import THEME_COOKIE
from accounts.middleware import TENANT_SESSION_KEY
from accounts.models.users import StaffRole

YEAR_SECONDS = 365 * 24 * 3600
# The first page of staff, by the first of these roles that they hold.
STAFF_HOMES = (
    (StaffRole.OPERATOR, "accounts:operations"),
    (StaffRole.FINANCE, "billing:finance_overview"),
    (StaffRole.ACCOUNT_MANAGER, "servicedesk:dashboard"),
    (StaffRole.FILING_STEWARD, "servicedesk:dashboard"),
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Send each person to their own first page."""
    identity = identity_of(request)
    if identity.user is None:
        return redirect_to_login(request.get_full_path())
    if identity.is_customer:
        return redirect("supportplans:overview")
    if identity.staff is None:
        raise Http404
    for role, page in STAFF_HOMES:
        if role in identity.staff.roles:
            return redirect(page)
    return redirect("tickets:console")


@require_POST
def tenant_switch(request: HttpRequest, tenant_id: int) -> HttpResponse:
    """Work for another of one's own tenants. A foreign tenant does not exist for this person."""
    if all(membership.tenant_id != tenant_id for membership in identity_of(request).memberships):
        raise Http404
    request.session[TENANT_SESSION_KEY] = tenant_id
    return redirect("supportplans:overview")


@require_POST
def preferences_save(request: HttpRequest) -> HttpResponse:
    """Keep language and theme in cookies and go back to where the person was."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    response = redirect(target)
    language, theme = request.POST.get("language"), request.POST.get("theme")
    if language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR_SECONDS, samesite="Lax"
        )
    if theme in {"light", "dark", "system"}:
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR_SECONDS, samesite="Lax")
    return response


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Answer 200 when this process reaches the database and the cache."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    cache.get("healthz")
    return JsonResponse({"status": "ok"})
