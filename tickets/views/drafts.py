"""The submit form while it is typed: kept as a draft, compared with open tickets, looked through for secrets."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import actor_of, customer_view
from core import clock
from tickets.credentials import secrets_in
from tickets.forms import TicketForm
from tickets.selectors import drafts as selectors
from tickets.services import drafts
from tickets.views.common import tenant_id_of


@customer_view()
@require_POST
def draft_save(request: HttpRequest) -> HttpResponse:
    """Keep what was typed so far and show what it looks like; the address becomes the draft's, for a reload."""
    tenant_id, typed, at = tenant_id_of(request), request.POST, clock.now()
    draft = drafts.draft_save(
        tenant_id=tenant_id,
        key=typed.get("key", ""),
        content=typed_in(request),
        actor=actor_of(request),
        at=at,
    )
    context = {
        "draft": draft,
        "alike": selectors.tickets_alike(
            tenant_id,
            title=typed.get("title", "")[:200],
            resource=typed.get("resource", "")[:120],
            product_line_id=_number(typed.get("product_line")),
        ),
        "secret_kinds": secrets_in(
            typed.get("title", "")[:200], typed.get("body", "")[:20_000], typed.get("resource", "")
        ),
        "at": at,
    }
    answer = render(request, "tickets/ticket_hints.html", context)
    if draft is not None:
        address = f"{reverse('tickets:ticket_new')}?{urlencode({'draft': draft.key})}"
        answer.headers["HX-Replace-Url"] = address
    return answer


@customer_view()
@require_POST
def draft_discard(request: HttpRequest, key: str) -> HttpResponse:
    """Forget a draft."""
    ended = drafts.draft_end(
        tenant_id=tenant_id_of(request), key=key, actor=actor_of(request), at=clock.now()
    )
    if not ended:
        raise Http404
    messages.success(request, _("草稿已删除"))
    return redirect("tickets:ticket_list")


@customer_view()
@require_POST
def ticket_template(request: HttpRequest) -> HttpResponse:
    """Answer with the description's field, with the product's questions in it; 204 where people have written."""
    if not selectors.is_template(request.POST.get("body", "")):
        return HttpResponse(status=204)
    text = selectors.template_for(_number(request.POST.get("product_line")))
    form = TicketForm(initial={"body": text})
    return HttpResponse(str(form["body"]))


def typed_in(request: HttpRequest) -> dict[str, str]:
    """Return what the form holds, its uploaded files by their ids."""
    return {**request.POST.dict(), "uploads": ",".join(request.POST.getlist("uploads"))}


def initial_of(request: HttpRequest, key: str) -> dict[str, Any]:
    """Return what the form starts with: the content of the person's own draft. Raises Http404 for any other key."""
    draft = selectors.draft_list_for(tenant_id_of(request), _me(request)).filter(key=key).first()
    if draft is None:
        raise Http404
    return {**draft.content, "key": draft.key}


def _me(request: HttpRequest) -> Any:
    return actor_of(request).user


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004
