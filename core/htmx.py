"""Typed request of pages that answer htmx too."""

from typing import cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request with ``htmx`` details; falsy when the page is loaded in full."""

    htmx: HtmxDetails


def htmx_of(request: HttpRequest) -> HtmxDetails:
    """Return the request's htmx details; falsy when the page is loaded in full."""
    return cast("HtmxRequest", request).htmx


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a visitor to sign in and back.

    A part of a page must not be filled with the sign-in form: the whole page goes, and comes back to itself.
    """
    htmx = htmx_of(request)
    if not htmx:
        return redirect_to_login(request.get_full_path())
    page = redirect_to_login(htmx.current_url_abs_path or "/")
    return HttpResponseClientRedirect(page.url)
