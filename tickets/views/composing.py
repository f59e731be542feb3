"""What an open console asks for by itself: drafts kept, tickets found, and that it was closed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actor_of, identity_of, staff_view
from core import clock
from core.clock import local
from tickets import presence
from tickets.models import AgentDraft, Ticket
from tickets.presence import Place
from tickets.selectors import queue
from tickets.selectors.composing import drafts_of
from tickets.services import composing
from tickets.services.messages import BODY_MAX
from tickets.states import CONSOLE_ROLES, DraftKind

FOUND_MOST = 8


class DraftForm(forms.Form):
    """What the composer's script sends."""

    kind = forms.ChoiceField(choices=DraftKind.choices)
    body = forms.CharField(max_length=BODY_MAX, required=False, strip=False)
    base = forms.IntegerField(min_value=0, max_value=2**31 - 1)
    seen = forms.IntegerField(min_value=0, max_value=2**63 - 1)
    device = forms.CharField(max_length=36)


@staff_view(*CONSOLE_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def console_draft(request: HttpRequest, number: str) -> HttpResponse:
    """Tell the agent's drafts on a ticket, or keep one; 409 with the newer text when another device saved meanwhile."""
    ticket = Ticket.objects.only("pk", "tenant_id").filter(number=number).first()
    staff = identity_of(request).staff
    if ticket is None or staff is None:
        raise Http404
    if request.method != "POST":
        found = drafts_of(ticket, staff)
        return JsonResponse({kind: _facts(draft) for kind, draft in found.items()})
    form = DraftForm(request.POST)
    if not form.is_valid():
        return JsonResponse(form.errors, status=400)
    data = form.cleaned_data
    draft, is_ours = composing.draft_save(
        ticket_id=ticket.pk,
        kind=DraftKind(data["kind"]),
        body=data["body"],
        base=data["base"],
        device=data["device"],
        seen_message_id=data["seen"],
        actor=actor_of(request),
        at=clock.now(),
    )
    return JsonResponse(_facts(draft, whole=not is_ours), status=200 if is_ours else 409)


@staff_view(*CONSOLE_ROLES)
@require_POST
def console_leave(request: HttpRequest) -> HttpResponse:
    """Take a closed tab off the list of who looks at what."""
    staff = identity_of(request).staff
    if staff is None:
        raise Http404
    who = presence.teller(staff.user_id, staff.display_name)
    presence.beat(Place(tab=request.POST.get("tab", "")[:32]), who=who)
    return HttpResponse(status=204)


@staff_view(*CONSOLE_ROLES)
@require_safe
def console_find(request: HttpRequest) -> HttpResponse:
    """Find tickets for the palette: by number, title or conversation, at the desks that the agent may look at."""
    identity, text = identity_of(request), request.GET.get("q", "").strip()[:100]
    if identity.staff is None:
        raise Http404
    if not text:
        return JsonResponse({"tickets": []})
    page = queue.queue_page(
        view=queue.QueueView.WAITING,
        desk=queue.desks_of(identity)[0],
        staff=identity.staff,
        text=text,
        at=clock.now(),
    )
    found = [
        {
            "number": row.ticket.number,
            "title": row.ticket.title,
            "customer": row.ticket.tenant,
            "url": reverse("tickets:console_ticket", args=[row.ticket.number]),
        }
        for row in page.rows[:FOUND_MOST]
    ]
    return JsonResponse({"tickets": found})


def _facts(draft: AgentDraft | None, *, whole: bool = True) -> dict[str, Any]:
    """Return what the script needs: the version, and with ``whole`` the text and when it was saved."""
    if draft is None:
        return {"version": 0}
    facts: dict[str, Any] = {"version": draft.version}
    if whole:
        facts |= {"body": draft.body, "saved": f"{local(draft.saved_at):%H:%M:%S}"}
    return facts
