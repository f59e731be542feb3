"""The agents' console: queue, ticket and customer side by side, live."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import actor_of, identity_of, staff_view
from accounts.models import StaffMember
from core import clock
from core.exceptions import DomainError
from core.htmx import htmx_of
from messaging import live
from supportplans.models import AssuranceWindow
from supportplans.selectors.coverage import coverage_at
from supportplans.selectors.subscriptions import assurance_quotas
from supportplans.states import PlanCode, WindowState
from tickets import presence
from tickets.exceptions import AnsweredMeanwhile
from tickets.forms import AgentReplyForm, NoteForm
from tickets.live import CONSOLE, ticket_topic
from tickets.models import Ticket
from tickets.polls import Fragment, Pass, Poll, answer, viewers_told
from tickets.queue_rows import rows_html
from tickets.selectors import conversations, queue
from tickets.selectors.clocks import clock_view
from tickets.selectors.composing import drafts_of
from tickets.selectors.counters import mine_counts
from tickets.services import assignment, composing, replies
from tickets.services import tickets as services
from tickets.services.outages import LATE_SECONDS
from tickets.states import CONSOLE_ROLES, Desk, DraftKind

RECENT = timedelta(days=30)
WINDOWS_SHOWN = 3
# The other views are reached by keys and by the counters of the top bar.
ALWAYS_SHOWN = ("waiting", "mine", "work", "done")

agents = staff_view(*CONSOLE_ROLES)


@agents
@require_safe
def console(request: HttpRequest) -> HttpResponse:
    """Show the queue; no ticket is open yet."""
    return render(request, "tickets/console.html", _queue(request, clock.now()))


@agents
@require_safe
def console_ticket(request: HttpRequest, number: str) -> HttpResponse:
    """Show a ticket beside the queue; the pane alone when the queue is there already."""
    ticket, at = _ticket(number), clock.now()
    if ticket.merged_into is not None:
        target = reverse("tickets:console_ticket", args=[ticket.merged_into.number])
        return redirect(f"{target}?{_place(request)}")
    pane = _pane(request, ticket, at)
    htmx = htmx_of(request)
    if htmx and not htmx.history_restore_request:
        return render(request, "tickets/console.html#ticket-pane", pane)
    return render(request, "tickets/console.html", {**_queue(request, at, ticket), **pane})


@agents
@require_safe
def console_context(request: HttpRequest, number: str) -> HttpResponse:
    """Show who the customer is: plan, people, what is left of the assurance quota, windows, other tickets."""
    managers = ("tenant__account_manager", "tenant__service_manager")
    ticket, at = _ticket(number, *managers), clock.now()
    coverage = coverage_at(ticket.tenant_id, at)
    subscription = coverage.subscription
    context = {
        "ticket": ticket,
        "subscription": subscription,
        "assurance": assurance_quotas([subscription], at).get(subscription.pk)
        if subscription
        else None,
        "coverage": coverage,
        "windows": AssuranceWindow.objects.filter(
            tenant_id=ticket.tenant_id, state=WindowState.APPROVED, ends__gt=at
        ).order_by("starts")[:WINDOWS_SHOWN],
        "recent": queue.recent_tickets(ticket, at - RECENT),
        "manager": ticket.tenant.service_manager or ticket.tenant.account_manager,
        "at": at,
    }
    return render(request, "tickets/console_context.html", context)


@agents
@require_safe
def console_live(request: HttpRequest) -> HttpResponse:
    """Answer 204 while nothing is new, else the queue with its counters, the open conversation, who looks at what.

    The query says what the page shows (``tickets.polls.Poll``). Whoever is let in here is answered from the cache for
    the next seconds (``tickets.polls.quick_answer``).
    """
    at, poll = clock.now(), Poll.of(request.GET.dict())
    person = _pass(request)
    who = presence.teller(person.user_id, person.name)
    beat = presence.beat(poll.place, who=who)
    told = viewers_told(poll, beat.version, person.user_id) if beat else {}
    version, fragment = live.version(CONSOLE), None
    if poll.queue != str(version):
        fragment = _fragment(request, poll, person, version)
    ticket = queue.ticket_for_staff(poll.ticket) if poll.ticket else None
    if ticket and poll.seen != str(live.version(ticket_topic(ticket.pk))):
        pane = _pane(request, ticket, at)
        told |= {
            "ticket": ticket.number,
            "ticketVersion": pane["ticket_version"],
            "thread": render_to_string("tickets/console_thread.html", pane, request),
            "head": render_to_string("tickets/console_head.html", pane, request),
        }
    person.give(request.session.session_key or "")
    return answer(told, fragment, person)


@agents
@require_POST
def console_reply(request: HttpRequest, number: str) -> HttpResponse:
    """Send a public reply: plain, with the turn handed to the customer, or as the solution.

    What somebody else wrote meanwhile is shown first; sending again sends.
    """
    ticket_id, at = queue.ticket_id_for_staff(number), clock.now()
    if ticket_id is None:
        raise Http404
    form = AgentReplyForm(request.POST, request.FILES)
    # Calling it solved needs no words where the customer waits for none; the service decides.
    form.fields["body"].required = request.POST.get("action") != "resolve"
    if not form.is_valid():
        return _answer(request, number, at, form=form)
    try:
        with transaction.atomic():
            _send(request, ticket_id, form, at)
    except AnsweredMeanwhile as error:
        return _answer(request, number, at, form=form, unseen=error.messages)
    except DomainError as error:
        form.add_error("body", str(error.message))
        return _answer(request, number, at, form=form)
    return _answer(request, number, at)


@agents
@require_POST
def console_note(request: HttpRequest, number: str) -> HttpResponse:
    """Add an internal note."""
    ticket, at = _ticket(number), clock.now()
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _answer(request, number, at, note_form=form)
    actor = actor_of(request)
    replies.note_add(ticket_id=ticket.pk, body=form.cleaned_data["body"], actor=actor, at=at)
    composing.draft_discard(ticket_id=ticket.pk, kind=DraftKind.NOTE, actor=actor)
    return _answer(request, number, at)


@agents
@require_POST
def console_take(request: HttpRequest, number: str) -> HttpResponse:
    """Take an unassigned ticket."""
    ticket, at = _ticket(number), clock.now()
    try:
        with transaction.atomic():
            assignment.ticket_take(ticket_id=ticket.pk, actor=actor_of(request), at=at)
    except DomainError as error:
        messages.error(request, str(error.message))
    return _answer(request, number, at)


@agents
@require_POST
def console_assign(request: HttpRequest, number: str) -> HttpResponse:
    """Hand the ticket to a colleague."""
    ticket, at = _ticket(number), clock.now()
    chosen = request.POST.get("assignee", "")
    try:
        with transaction.atomic():
            assignment.ticket_assign(
                ticket_id=ticket.pk,
                staff_member_id=int(chosen) if chosen.isdecimal() else 0,
                actor=actor_of(request),
                at=at,
            )
    except DomainError as error:
        messages.error(request, str(error.message))
    return _answer(request, number, at)


def _send(request: HttpRequest, ticket_id: int, form: AgentReplyForm, at: datetime) -> None:
    """Do what the pressed button says with the form's words and files; the draft has done its work then."""
    data = form.cleaned_data
    if data["seen"] is not None:
        composing.answered_refuse(
            ticket_id=ticket_id, seen_message_id=data["seen"], idempotency_key=data["key"] or None
        )
    common: dict[str, Any] = {
        "ticket_id": ticket_id,
        "body": data["body"],
        "actor": actor_of(request),
        "at": at,
        "attachments": data["attachments"],
    }
    if data["action"] == "resolve":
        services.ticket_resolve(**common)
    else:
        replies.reply_add(
            **common, wait=data["action"] == "wait", idempotency_key=data["key"] or None
        )
    composing.draft_discard(ticket_id=ticket_id, kind=DraftKind.REPLY, actor=common["actor"])


def _pass(request: HttpRequest) -> Pass:
    """Return who may be answered from the cache, and for which desks."""
    staff = _staff(request)
    desks = ",".join(queue.desks_of(identity_of(request)))
    return Pass(staff.user_id, staff.display_name, staff.pk, desks)


def _fragment(request: HttpRequest, poll: Poll, person: Pass, version: int) -> Fragment:
    """Return the queue for a poll: as rendered for a colleague a moment ago, or anew."""
    key = poll.fragment_key(version, person)
    fragment = Fragment.kept(key) if key else None
    if fragment is None:
        shown = _queue(request, clock.now())
        parts = {
            name: render_to_string(f"tickets/console_{name}.html", shown, request)
            for name in ("queue", "counts")
        }
        text = json.dumps(parts, ensure_ascii=False)
        fragment = Fragment(shown["queue_version"], text, mine_counts())
        if key := poll.fragment_key(fragment.version, person):
            fragment.keep(key)
    return fragment


def _answer(request: HttpRequest, number: str, at: datetime, **forms: Any) -> HttpResponse:
    """Show the pane again (htmx) or go back to the ticket; a refused form is shown with what was typed."""
    if htmx_of(request):
        pane = _pane(request, _ticket(number), at, **forms)
        return render(request, "tickets/console.html#ticket-pane", pane)
    if forms:
        ticket = _ticket(number)
        context = {**_queue(request, at, ticket), **_pane(request, ticket, at, **forms)}
        return render(request, "tickets/console.html", context, status=400)
    return redirect(f"{reverse('tickets:console_ticket', args=[number])}?{_place(request)}")


def _queue(request: HttpRequest, at: datetime, opened: Ticket | None = None) -> dict[str, Any]:
    """Return the queue of the view, desk and tag that the address names, the row of ``opened`` marked.

    Two queries.

    The version is read first: what comes later is polled again.
    """
    version = live.version(CONSOLE)
    view, desk, desks = _chosen(request)
    text = request.GET.get("q", "")[:100]
    staff = _staff(request)
    page = queue.queue_page(
        view=view,
        desk=desk,
        staff=staff,
        after=request.GET.get("after", ""),
        text=text,
        tag=_tag(request),
        at=at,
    )
    counts = queue.queue_counts(desk=desk, staff=staff, at=at)
    here = _place(request)
    return {
        "page": page,
        "rows": rows_html(page.rows, here=here, open_pk=opened.pk if opened else None),
        "views": [
            (code, label, counts.of.get(code, ""))
            for code, label in queue.QueueView.choices
            if code in ALWAYS_SHOWN or code == view
        ],
        "ranked": view in queue.RANKED_VIEWS,
        "alarms": [(code, label, counts.of[code]) for code, label in queue.Alarm.choices],
        "view": view,
        "desk": desk,
        "desks": [(code, Desk(code).label if code else "") for code in desks],
        "text": text,
        "tag": _tag(request),
        "here": here,
        "queue_version": version,
        "late_timers": counts.lag_seconds > LATE_SECONDS,
        "at": at,
    }


def _pane(request: HttpRequest, ticket: Ticket, at: datetime, **forms: Any) -> dict[str, Any]:
    """Return one ticket with its conversation, notes included, and what the agent has begun to write. Seven queries."""
    version = live.version(ticket_topic(ticket.pk))
    events = conversations.events_of(ticket)
    clocks = conversations.clocks_of(ticket)
    in_force = conversations.clock_in_force(clocks)
    entries = conversations.thread(ticket, events, notes=True)
    last = max((entry.message.pk for entry in entries if entry.message), default=0)
    return {
        "ticket": ticket,
        "ticket_version": version,
        "runs": conversations.runs(entries),
        "last_message": last,
        **_composers(request, ticket, last, **forms),
        "clock": clock_view(in_force, events, at) if in_force else None,
        "reasons": queue.reasons_of(ticket.standing, ticket.due_at, ticket.plan_code),
        "plan_label": PlanCode(ticket.plan_code).label,
        "assignees": queue.assignees(),
        "here": _place(request),
        "at": at,
    }


def _composers(request: HttpRequest, ticket: Ticket, last: int, **forms: Any) -> dict[str, Any]:
    """Return both composers: what was refused as it was typed, else the agent's drafts.

    ``seen`` is what the writer had read when the reply was begun; what is shown as unseen is seen with it.
    """
    drafts = drafts_of(ticket, _staff(request))
    reply = drafts.get(DraftKind.REPLY)
    form, unseen = forms.get("form"), forms.get("unseen", [])
    seen = last
    if form is not None and not unseen:
        seen = form.cleaned_data.get("seen") or last
    elif form is None and reply is not None:
        seen = reply.seen_message_id
    return {
        "form": form or AgentReplyForm(initial={"key": uuid.uuid4().hex}),
        "note_form": forms.get("note_form") or NoteForm(auto_id="note_%s"),
        "drafts": drafts,
        "unseen": unseen,
        "seen": seen,
    }


def _chosen(request: HttpRequest) -> tuple[str, str, list[str]]:
    """Return the view, the desk and the desks to choose from; what is not allowed falls back to the first."""
    desks = queue.desks_of(identity_of(request))
    view, desk = request.GET.get("view", ""), request.GET.get("desk", "")
    return (
        view if view in queue.QueueView.values else queue.QueueView.WAITING.value,
        desk if desk in desks else desks[0],
        desks,
    )


def _place(request: HttpRequest) -> str:
    """Return the query string that leads back to this view of the queue."""
    view, desk, _desks = _chosen(request)
    tag = {"tag": _tag(request)} if _tag(request) else {}
    return urlencode({"view": view, "desk": desk, **tag})


def _tag(request: HttpRequest) -> int:
    """Return the id of the tag that the queue is held to, 0 for none."""
    chosen = request.GET.get("tag", "")
    return int(chosen) if chosen.isdecimal() and len(chosen) < 10 else 0  # noqa: PLR2004  (an id)


def _ticket(number: str, *also: str) -> Ticket:
    ticket = queue.ticket_for_staff(number, *also)
    if ticket is None:
        raise Http404
    return ticket


def _staff(request: HttpRequest) -> StaffMember:
    staff = identity_of(request).staff
    if staff is None:
        raise Http404
    return staff
