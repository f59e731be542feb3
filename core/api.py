"""The API's common ground: RFC 9457 problem details with stable codes, keyset pagination."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from core.exceptions import DomainError

PROBLEM_JSON = "application/problem+json"


class KeysetPagination(CursorPagination):
    """Pages by the newest id; the cost of a page does not grow with the table."""

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an error into ``{"type", "title", "status", "code", "errors"?}`` and roll the request back (RFC 9457)."""
    if isinstance(error, DomainError):
        set_rollback()
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": str(error.message),
            "status": error.status,
            "code": error.code,
        }
        if error.field:
            body["errors"] = {error.field: [str(error.message)]}
        return Response(body, status=error.status, content_type=PROBLEM_JSON)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    code = error.get_codes() if isinstance(error, exceptions.APIException) else "error"
    body = {
        "type": "about:blank",
        "title": str(getattr(error, "default_detail", "")),
        "status": response.status_code,
        "code": code if isinstance(code, str) else "invalid",
    }
    if response.status_code == status.HTTP_400_BAD_REQUEST:
        body["errors"] = response.data
    elif isinstance(response.data, dict) and "detail" in response.data:
        body["title"] = str(response.data["detail"])
    response.data = body
    response.content_type = PROBLEM_JSON
    return response
