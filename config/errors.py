"""The page for what nobody foresaw. It needs neither database nor cache, and its number stands in the log."""

from __future__ import annotations

import logging
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponseServerError
from django.template.loader import get_template
from django.utils import timezone

from core.clock import local

logger = logging.getLogger(__name__)


def server_error(request: HttpRequest) -> HttpResponseServerError:
    """Say that something failed, that nothing was changed, what to do, and a number that finds it in the log."""
    number = f"E-{local(timezone.now()):%Y%m%d}-{secrets.token_hex(3).upper()}"
    logger.error("answered %s %s with error page %s", request.method, request.path, number)
    page = get_template("500.html").render({"brand": settings.BRAND, "number": number})
    return HttpResponseServerError(page)
