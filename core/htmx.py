"""Typed request of pages that answer htmx too."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request with ``htmx`` details; falsy when the page is loaded in full."""

    htmx: HtmxDetails
