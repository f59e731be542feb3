"""Files that customers upload while they are still writing."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import actor_of, customer_view
from core import clock
from core.exceptions import DomainError
from tickets.models import Attachment
from tickets.services.attachments import FILES_MAX, attachment_upload, unsent_of
from tickets.views.common import tenant_id_of


@customer_view()
@require_POST
def upload_create(request: HttpRequest) -> HttpResponse:
    """Take one file; answer with its line of the form (201), or with the reason in words (400)."""
    upload = request.FILES.get("file")
    if upload is None:
        return HttpResponse(_("请选择文件"), status=400)
    try:
        with transaction.atomic():
            file = attachment_upload(
                tenant_id=tenant_id_of(request),
                upload=upload,
                actor=actor_of(request),
                at=clock.now(),
            )
    except DomainError as error:
        return HttpResponse(
            str(error.message), status=400, content_type="text/plain; charset=utf-8"
        )
    return render(request, "tickets/upload_row.html", {"file": file}, status=201)


def uploads_of(request: HttpRequest, ids: list[str] | None = None) -> list[Attachment]:
    """Return the person's own unsent files that the form (or a draft, by ``ids``) names. No query without any."""
    named = request.POST.getlist("uploads") if ids is None else ids
    numbers = [int(name) for name in named if name.isdecimal() and len(name) < 19]  # noqa: PLR2004
    if not numbers:
        return []
    return unsent_of(tenant_id=tenant_id_of(request), actor=actor_of(request), ids=numbers)


def limits() -> dict[str, int]:
    """Return the limits that the form says before anything is uploaded."""
    return {"upload_max": settings.UPLOAD_MAX_BYTES, "files_max": FILES_MAX}
