"""Typed request of pages that answer htmx too."""

from typing import cast

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request with ``htmx`` details; falsy when the page is loaded in full."""

    htmx: HtmxDetails


def htmx_of(request: HttpRequest) -> HtmxDetails:
    """Return the request's htmx details; falsy when the page is loaded in full."""
    return cast("HtmxRequest", request).htmx
