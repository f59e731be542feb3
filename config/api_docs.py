"""The API centre: every endpoint with its summary, read from the schema."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator


@require_safe
def documentation(request: HttpRequest) -> HttpResponse:
    """List the endpoints of the API."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    endpoints = [
        {
            "method": method.upper(),
            "path": path,
            "summary": operation.get("description", "").split("\n")[0],
        }
        for path, operations in sorted(schema["paths"].items())
        for method, operation in operations.items()
    ]
    return render(request, "api_docs.html", {"endpoints": endpoints})
