"""Macros: kept on pages of their own, and used beside an open ticket with a preview of what they would do."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import actor_of, identity_of, staff_view
from core import clock
from core.exceptions import DomainError
from tickets.exceptions import AnsweredMeanwhile
from tickets.macro_forms import MacroForm
from tickets.macros import NAMES
from tickets.models import Macro, Ticket
from tickets.selectors import macros as selectors
from tickets.selectors import queue
from tickets.services import macros as services
from tickets.services.composing import newest_message_id
from tickets.services.macro_steps import STEPS
from tickets.services.messages import BODY_MAX
from tickets.states import CONSOLE_ROLES

agents = staff_view(*CONSOLE_ROLES)


@agents
@require_safe
def macro_list(request: HttpRequest) -> HttpResponse:
    """Show the team's macros and one's own."""
    identity = identity_of(request)
    rows = [
        {
            "macro": macro,
            "steps": [STEPS[step["kind"]].label for step in macro.steps if step["kind"] in STEPS],
            "may_edit": selectors.may_edit(identity, macro),
        }
        for macro in selectors.macros_for(identity)
    ]
    return render(request, "tickets/macro_list.html", {"rows": rows})


@agents
@require_http_methods(["GET", "HEAD", "POST"])
def macro_new(request: HttpRequest) -> HttpResponse:
    """Make a macro, one's own or, for leads, the team's."""
    return _form(request, None)


@agents
@require_http_methods(["GET", "HEAD", "POST"])
def macro_edit(request: HttpRequest, macro_id: int) -> HttpResponse:
    """Change a macro."""
    return _form(request, _editable(request, macro_id))


@agents
@require_POST
def macro_switch(request: HttpRequest, macro_id: int) -> HttpResponse:
    """Disable a macro, or offer it again."""
    macro = _editable(request, macro_id)
    services.macro_switch(
        macro=macro, is_active=not macro.is_active, actor=actor_of(request), at=clock.now()
    )
    return redirect("tickets:macro_list")


@agents
@require_safe
def console_macros(request: HttpRequest, number: str) -> HttpResponse:
    """List the macros that the agent may use on a ticket, for the menu and for “/”."""
    _ticket(number)
    found = [
        {
            "id": macro.pk,
            "name": macro.name,
            "shortcut": macro.shortcut,
            "replies": macro.only_replies,
            "hint": str(_("个人") if macro.owner_id else _("团队")),
            "url": reverse("tickets:console_macro", args=[number, macro.pk]),
        }
        for macro in selectors.macros_for(identity_of(request))
        if macro.is_active
    ]
    return JsonResponse({"macros": found})


@agents
@require_http_methods(["GET", "HEAD", "POST"])
def console_macro(request: HttpRequest, number: str, macro_id: int) -> HttpResponse:
    """Show what a macro would do to the ticket, or do what was shown. A canned reply is text for the composer."""
    ticket, at = _ticket(number), clock.now()
    macro = selectors.macro_get_for(identity_of(request), macro_id)
    if macro is None or not macro.is_active:
        raise Http404
    if request.method == "POST":
        return _apply(request, ticket, macro)
    if request.GET.get("text"):
        try:
            text = services.macro_text(
                macro=macro, kind="reply", ticket=ticket, actor=actor_of(request), at=at
            )
        except DomainError as error:
            return JsonResponse({"error": str(error.message)}, status=error.status)
        return JsonResponse({"text": text})
    draft = request.GET.get("draft", "")[:BODY_MAX]
    return render(request, "tickets/macro_preview.html", _shown(request, ticket, macro, draft))


def _apply(request: HttpRequest, ticket: Ticket, macro: Macro) -> HttpResponse:
    """Apply the macro as it was shown; when that is no longer what would happen, show it again."""
    post, draft = request.POST, request.POST.get("draft", "")[:BODY_MAX]
    seen = post.get("seen", "")
    try:
        with transaction.atomic():
            services.macro_apply(
                macro=macro,
                ticket=ticket,
                digest=post.get("digest", ""),
                seen_message_id=int(seen) if seen.isascii() and seen.isdecimal() else 0,
                idempotency_key=post.get("key", "")[:64],
                actor=actor_of(request),
                at=clock.now(),
                draft=draft,
            )
    except AnsweredMeanwhile as error:
        again = {"refusal": str(error.message), "unseen": error.messages}
    except DomainError as error:
        again = {"refusal": str(error.message)}
    else:
        messages.success(request, _("已应用宏“%(name)s”") % {"name": macro.name})
        return HttpResponseClientRedirect(reverse("tickets:console_ticket", args=[ticket.number]))
    shown = _shown(request, _ticket(ticket.number), macro, draft)
    return render(request, "tickets/macro_preview.html", {**shown, **again})


def _shown(request: HttpRequest, ticket: Ticket, macro: Macro, draft: str) -> dict[str, Any]:
    """Return the preview, or why the macro cannot be applied."""
    context: dict[str, Any] = {"ticket": ticket, "macro": macro, "draft": draft, "at": clock.now()}
    try:
        preview = services.macro_preview(
            macro=macro, ticket=ticket, actor=actor_of(request), at=context["at"], draft=draft
        )
    except DomainError as error:
        return {**context, "impossible": str(error.message)}
    return {
        **context,
        "preview": preview,
        "reply": preview.texts.get("reply", "").removeprefix(draft.rstrip()).lstrip(),
        "note": preview.texts.get("note", ""),
        "key": uuid.uuid4().hex,
        "seen": newest_message_id(ticket),
    }


def _form(request: HttpRequest, macro: Macro | None) -> HttpResponse:
    identity = identity_of(request)
    may_edit_team = selectors.may_edit_team(identity)
    form = MacroForm(request.POST or None, may_edit_team=may_edit_team, macro=macro)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            services.macro_save(
                macro=macro,
                name=data["name"],
                shortcut=data["shortcut"],
                owner=None if data.get("is_team") else identity.staff,
                steps=form.steps(),
                actor=actor_of(request),
                at=clock.now(),
            )
        except DomainError as error:
            form.add_error(error.field, str(error.message))
        else:
            messages.success(request, _("宏已保存"))
            return redirect("tickets:macro_list")
    context = {"form": form, "macro": macro, "variables": NAMES.items()}
    return render(
        request,
        "tickets/macro_form.html",
        context,
        status=400 if form.is_bound else 200,
    )


def _editable(request: HttpRequest, macro_id: int) -> Macro:
    identity = identity_of(request)
    macro = selectors.macro_get_for(identity, macro_id)
    if macro is None:
        raise Http404
    if not selectors.may_edit(identity, macro):
        raise PermissionDenied
    return macro


def _ticket(number: str) -> Ticket:
    ticket = queue.ticket_for_staff(number)
    if ticket is None:
        raise Http404
    return ticket
