"""Many tickets at once, and taking the last step back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import actor_of
from core import clock
from core.exceptions import DomainError
from core.htmx import htmx_of
from tickets.desk_states import IncidentState
from tickets.exceptions import OpenClocksUnconfirmed
from tickets.models import Incident, Tag, Ticket
from tickets.selectors.queue import assignees
from tickets.selectors.tags import tag_choices
from tickets.selectors.work import incident_list
from tickets.services import bulk
from tickets.services.messages import BODY_MAX
from tickets.services.undo import changes_undo
from tickets.views.work import workers


@workers
@require_http_methods(["GET", "HEAD", "POST"])
def console_bulk(request: HttpRequest) -> HttpResponse:
    """Show what can be done with the selected tickets; do it, and say which were refused and why."""
    context: dict[str, Any] = {}
    if request.method == "POST":
        try:
            with transaction.atomic():
                context["result"] = _act(request)
        except OpenClocksUnconfirmed as error:
            context["confirm"] = str(error.message)
            context["count"] = error.count
        except DomainError as error:
            context["error"] = str(error.message)
        if not htmx_of(request):
            _say(request, context)
            return redirect("tickets:console")
    context |= {
        "assignees": assignees(),
        "tags": tag_choices(),
        "incidents": incident_list(IncidentState.OPEN),
        "typed": request.POST,
    }
    return render(request, "tickets/console_bulk.html", context)


@workers
@require_POST
def console_undo(request: HttpRequest) -> HttpResponse:
    """Take back what the agent did last and nobody was sent."""
    try:
        with transaction.atomic():
            undone = changes_undo(actor=actor_of(request), at=clock.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        if undone.done:
            words = ngettext(
                "已撤销 %(count)d 张工单的%(kind)s",
                "已撤销 %(count)d 张工单的%(kind)s",
                undone.done,
            )
            messages.success(request, words % {"count": undone.done, "kind": undone.kind.label})
        for refusal in undone.refused:
            messages.error(request, f"{refusal.number}：{refusal.reason}")
    if htmx_of(request):
        return render(request, "tickets/console_toasts.html")
    return redirect("tickets:console")


def _act(request: HttpRequest) -> bulk.BulkResult:
    """Do what the pressed button says. Unknown numbers are left out; unknown choices are refused."""
    numbers = request.POST.get("numbers", "").split(",")[: bulk.BULK_MOST + 1]
    ticket_ids = list(Ticket.objects.filter(number__in=numbers).values_list("pk", flat=True))
    given: dict[str, Any] = {
        "ticket_ids": ticket_ids,
        "actor": actor_of(request),
        "at": clock.now(),
    }
    action, value = request.POST.get("action", ""), _number(request)
    if action == "assign":
        return bulk.tickets_assign(staff_member_id=value, **given)
    if action == "tag" and Tag.objects.filter(pk=value, is_active=True).exists():
        return bulk.tickets_tag(tag_id=value, **given)
    if action == "incident" and Incident.objects.filter(pk=value).exists():
        return bulk.tickets_incident_set(incident_id=value, **given)
    if action == "resolve":
        confirmed = request.POST.get("confirmed_clocks", "")
        return bulk.tickets_resolve(
            body=request.POST.get("body", "")[:BODY_MAX],
            confirmed_clocks=int(confirmed) if confirmed.isdecimal() else None,
            **given,
        )
    raise DomainError(_("请选择操作"))


def _number(request: HttpRequest) -> int:
    chosen = request.POST.get(request.POST.get("action", ""), "")
    return int(chosen) if chosen.isdecimal() else 0


def _say(request: HttpRequest, context: dict[str, Any]) -> None:
    """Say in messages what a page without scripts cannot show in place."""
    for sentence in (context.get("confirm"), context.get("error")):
        if sentence:
            messages.error(request, sentence)
    result = context.get("result")
    if result is not None:
        messages.success(
            request,
            ngettext("已处理 %(count)d 张工单", "已处理 %(count)d 张工单", result.done)
            % {"count": result.done},
        )
        for refusal in result.refused:
            messages.error(request, f"{refusal.number}：{refusal.reason}")
