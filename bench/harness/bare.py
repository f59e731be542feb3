"""The least that a Django page can do, served beside the portal's own pages, and a count of a page's queries."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import Context, Engine
from django.views.decorators.http import require_POST

from accounts.models import AuditEntry
from bench.harness.http import COUNT_HEADER, QUERIES_HEADER
from core import clock
from supportplans.models import Entitlement
from tests.queries import counted_queries

ROWS = 50
ANONYMOUS, SIGNED_IN = "a bare page", "a bare list"

# Plain templates: no base page, no context processors.
_anonymous = Engine().from_string(
    f"<!doctype html><html><head><title>{ANONYMOUS}</title></head><body><p>{{{{ path }}}}</p></body></html>"
)
_rows = Engine().from_string(
    f"<!doctype html><html><head><title>{SIGNED_IN}</title></head><body><p>{{{{ user }}}}</p><table>"
    "{% for row in rows %}<tr><td>{{ row.pk }}</td><td>{{ row.plan.code }}</td><td>{{ row.item.name }}</td></tr>"
    "{% endfor %}</table></body></html>"
)


def anonymous(request: HttpRequest) -> HttpResponse:
    """Show one line to anybody. Asks the database nothing."""
    return HttpResponse(_anonymous.render(Context({"path": request.path})))


@login_required
def rows(request: HttpRequest) -> HttpResponse:
    """Show fifty rows of a table and its two parents to someone who is signed in. One query of its own."""
    found = Entitlement.objects.select_related("plan", "item").order_by("pk")[:ROWS]
    return HttpResponse(_rows.render(Context({"user": request.user, "rows": found})))


@require_POST
@login_required
def insert(request: HttpRequest) -> HttpResponse:
    """Write one row for someone who is signed in, and send them on."""
    entry = AuditEntry(
        tenant_id=request.portal.tenant_id,  # type: ignore[attr-defined]
        action="bench.insert",
        created_at=clock.now(),
    )
    # No RETURNING: customers may add to this table, not read it.
    AuditEntry.objects.bulk_create([entry], ignore_conflicts=True)
    return redirect("/bare/rows/")


class QueryCountMiddleware:
    """Tell how often a request asked the database, when the request wants to know; others pass untouched."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        if COUNT_HEADER not in request.headers:
            return self.get_response(request)
        with counted_queries() as queries:
            response = self.get_response(request)
        response.headers[QUERIES_HEADER] = str(len(queries))
        return response
