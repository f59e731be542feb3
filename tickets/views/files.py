"""Files of conversations, for customers and staff: downloads, and the small pictures in the thread."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.access import customer_view, identity_of, staff_view
from core.files import JPEG, serve_inline, serve_private
from tickets.models import Attachment
from tickets.states import CONSOLE_ROLES
from tickets.views.common import tenant_id_of

agents = staff_view(*CONSOLE_ROLES)


@customer_view()
@require_safe
def attachment_download(request: HttpRequest, attachment_id: int) -> HttpResponseBase:
    """Hand out a file of one of the tenant's tickets, always as a download."""
    return _download(_of_customer(request), attachment_id)


@customer_view()
@require_safe
def attachment_preview(request: HttpRequest, attachment_id: int) -> HttpResponseBase:
    """Show the small picture of an image, made anew from its pixels."""
    return _preview(_of_customer(request), attachment_id)


@agents
@require_safe
def console_attachment(request: HttpRequest, attachment_id: int) -> HttpResponseBase:
    """Hand out a customer's file to staff, always as a download."""
    return _download(_of_staff(), attachment_id)


@agents
@require_safe
def console_preview(request: HttpRequest, attachment_id: int) -> HttpResponseBase:
    """Show the small picture of an image to staff."""
    return _preview(_of_staff(), attachment_id)


def _of_customer(request: HttpRequest) -> QuerySet[Attachment]:
    """Return the tenant's sent files and the person's own ones that wait to be sent."""
    me = identity_of(request).user
    return _sent_or(
        Q(message=None, uploaded_by=me), Attachment.objects.filter(tenant_id=tenant_id_of(request))
    )


def _of_staff() -> QuerySet[Attachment]:
    return _sent_or(Q(pk__in=[]), Attachment.objects.all())


def _sent_or(own: Q, files: QuerySet[Attachment]) -> QuerySet[Attachment]:
    return files.filter(own | Q(message__isnull=False, message__recalled_at=None))


def _download(files: QuerySet[Attachment], attachment_id: int) -> HttpResponseBase:
    found = _get(files, attachment_id)
    return serve_private(found.file, name=found.name, content_type=found.content_type)


def _preview(files: QuerySet[Attachment], attachment_id: int) -> HttpResponseBase:
    found = _get(files, attachment_id)
    if not found.preview:
        raise Http404
    return serve_inline(found.preview, content_type=JPEG)


def _get(files: QuerySet[Attachment], attachment_id: int) -> Any:
    """Return a file that may be had: nobody gets one that is blocked, or not scanned yet. Raises Http404."""
    found = files.filter(pk=attachment_id).first()
    if found is None or not found.can_download:
        raise Http404
    return found
