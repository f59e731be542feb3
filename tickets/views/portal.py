"""Customers' pages: submit, list, one ticket with its conversation."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actor_of, customer_view, identity_of
from core import clock
from core.exceptions import DomainError
from core.files import serve_private
from messaging import live
from supportplans.selectors.coverage import coverage_at
from supportplans.states import PlanCode
from tickets.forms import RatingForm, ReplyForm, TicketForm
from tickets.live import ticket_topic
from tickets.models import Attachment, Rating, Ticket
from tickets.selectors import conversations
from tickets.selectors import tickets as selectors
from tickets.services import coverages, ratings, replies
from tickets.services import tickets as services
from tickets.states import DONE_STATES, Effect, TicketKind
from tickets.wording import is_counting, promise_sentence

PAGE_SIZE = 10
RATING_WORDS = (
    _("非常满意"),
    _("满意"),
    pgettext_lazy("rating", "一般"),
    _("不满意"),
    _("很不满意"),
)


@customer_view()
@require_safe
def ticket_list(request: HttpRequest) -> HttpResponse:
    """Show the tenant's tickets by whose turn it is, with total, page size and page jump."""
    tenant_id = _tenant_id(request)
    turn, text = request.GET.get("turn", ""), request.GET.get("q", "")[:100]
    found = selectors.ticket_list_for(tenant_id, turn=turn, text=text)
    counts = selectors.turn_counts(tenant_id)
    context = {
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "turns": [(code, label, counts[code]) for code, label, _states in selectors.TURNS],
        "turn": turn,
        "text": text,
    }
    return render(request, "tickets/ticket_list.html", context)


@customer_view()
@require_http_methods(["GET", "HEAD", "POST"])
def ticket_new(request: HttpRequest) -> HttpResponse:
    """Open a ticket; what was typed stays when something is wrong. ``?follows=`` takes up an earlier one again."""
    followed = _followed(request, request.GET.get("follows", ""))
    initial = {"key": uuid.uuid4().hex, "follows": followed.number if followed else ""}
    form = TicketForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        ticket = _submit(request, form)
        if ticket is not None:
            return redirect(ticket)
    coverage = coverage_at(_tenant_id(request), clock.now())
    effects = [(effect, coverage.target_minutes[effect.severity]) for effect in Effect]
    context = {
        "form": form,
        "effects": effects,
        "coverage": coverage,
        "chosen": form["effect"].value() or "",
    }
    return render(request, "tickets/ticket_new.html", context)


@customer_view()
@require_safe
def ticket_detail(request: HttpRequest, number: str) -> HttpResponse:
    """Show one ticket: promise, conversation, progress, and what the customer can do next; a merged one leads on."""
    ticket = _ticket(request, number)
    if ticket.merged_into is not None:
        return redirect(ticket.merged_into)
    return render(request, "tickets/ticket_detail.html", _page(ticket, clock.now()))


@customer_view()
@require_safe
def ticket_live(request: HttpRequest, number: str) -> HttpResponse:
    """Answer 204 while nothing is new, else the parts of the page that changed."""
    ticket = _ticket(request, number)
    if request.GET.get("version") == str(live.version(ticket_topic(ticket.pk))):
        return HttpResponse(status=204)
    return render(request, "tickets/ticket_detail.html#live", _page(ticket, clock.now()))


@customer_view()
@require_POST
def reply_create(request: HttpRequest, number: str) -> HttpResponse:
    """Add the customer's reply; on a solved ticket it reopens."""
    ticket, at = _ticket(request, number), clock.now()
    form = ReplyForm(request.POST, request.FILES)
    if form.is_valid():
        data = form.cleaned_data
        try:
            ticket = replies.reply_add(
                ticket_id=ticket.pk,
                body=data["body"],
                actor=actor_of(request),
                at=at,
                attachments=data["attachments"],
                idempotency_key=data["key"] or None,
            )
        except DomainError as error:
            form.add_error(_own(form, error), str(error.message))
        else:
            return redirect(ticket)
    return render(request, "tickets/ticket_detail.html", _page(ticket, at, form=form), status=400)


@customer_view()
@require_POST
def ticket_confirm(request: HttpRequest, number: str) -> HttpResponse:
    """Close the ticket by the customer's word."""
    return _act(request, number, services.ticket_confirm)


@customer_view()
@require_POST
def severity_raise(request: HttpRequest, number: str) -> HttpResponse:
    """Make a general ticket urgent."""
    return _act(request, number, coverages.severity_raise)


@customer_view()
@require_POST
def ticket_reopen(request: HttpRequest, number: str) -> HttpResponse:
    """Say that the problem is not solved."""
    ticket, at = _ticket(request, number), clock.now()
    form = ReplyForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            replies.ticket_reopen(
                ticket_id=ticket.pk,
                body=form.cleaned_data["body"],
                actor=actor_of(request),
                at=at,
                attachments=form.cleaned_data["attachments"],
                idempotency_key=form.cleaned_data["key"] or None,
            )
        except DomainError as error:
            form.add_error(_own(form, error), str(error.message))
        else:
            return redirect(ticket)
    return render(request, "tickets/ticket_detail.html", _page(ticket, at, form=form), status=400)


@customer_view()
@require_POST
def ticket_rate(request: HttpRequest, number: str) -> HttpResponse:
    """Rate the help."""
    ticket, at = _ticket(request, number), clock.now()
    form = RatingForm(request.POST)
    if form.is_valid():
        try:
            ratings.ticket_rate(
                ticket_id=ticket.pk, actor=actor_of(request), at=at, **form.cleaned_data
            )
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            return redirect(ticket)
    return render(
        request, "tickets/ticket_detail.html", _page(ticket, at, rating_form=form), status=400
    )


@customer_view()
@require_safe
def attachment_download(request: HttpRequest, attachment_id: int) -> HttpResponseBase:
    """Hand out a file of one of the tenant's tickets, always as a download."""
    found = Attachment.objects.filter(pk=attachment_id, tenant_id=_tenant_id(request)).first()
    if found is None:
        raise Http404
    return serve_private(found.file, name=found.name, content_type=found.content_type)


def _submit(request: HttpRequest, form: TicketForm) -> Ticket | None:
    """Submit the form's ticket; None when a rule refused it, with the reason in the form."""
    data = form.cleaned_data
    effect = Effect(data["effect"])
    try:
        return services.ticket_submit(
            tenant_id=_tenant_id(request),
            title=data["title"],
            body=data["body"],
            severity=effect.severity,
            kind=TicketKind(data["kind"]),
            category=data["category"],
            product_line=data["product_line"],
            actor=actor_of(request),
            at=clock.now(),
            idempotency_key=data["key"],
            attachments=data["attachments"],
            effect=effect,
            resource=data["resource"],
            follows=_followed(request, data["follows"]),
        )
    except DomainError as error:
        form.add_error(_own(form, error), str(error.message))
        return None


def _followed(request: HttpRequest, number: str) -> Ticket | None:
    """Return the tenant's earlier ticket that a new one takes up again, or None."""
    return selectors.ticket_for_customer(_tenant_id(request), number) if number else None


def _act(request: HttpRequest, number: str, service: Any) -> HttpResponse:
    """Call a service on the ticket and go back to its page, with the reason where it was refused."""
    ticket = _ticket(request, number)
    try:
        with transaction.atomic():
            service(ticket_id=ticket.pk, actor=actor_of(request), at=clock.now())
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(ticket)


def _page(
    ticket: Ticket,
    at: datetime,
    *,
    form: ReplyForm | None = None,
    rating_form: RatingForm | None = None,
) -> dict[str, Any]:
    """Return the context of a ticket's page. The version is read first: what comes later is polled again."""
    version = live.version(ticket_topic(ticket.pk))
    events = conversations.events_of(ticket)
    clocks = conversations.clocks_of(ticket)
    promised = conversations.clock_promised(clocks)
    rating = Rating.objects.filter(ticket=ticket).first() if ticket.state in DONE_STATES else None
    ended = ticket.resolved_at or ticket.closed_at
    return {
        "ticket": ticket,
        "version": version,
        "entries": conversations.thread(ticket, events),
        "steps": conversations.progress(ticket, events, clocks),
        "clock": conversations.ClockView(promised, at) if promised else None,
        "promise": promise_sentence(ticket, promised, at),
        "counting": promised is not None and is_counting(promised, at),
        "plan_label": PlanCode(ticket.plan_code).label,
        "rating": rating,
        "can_rate": ticket.state in DONE_STATES and rating is None,
        "can_reopen": ended is not None and at <= ended + replies.CLOSES_AFTER,
        "form": form or ReplyForm(initial={"key": uuid.uuid4().hex}),
        "rating_form": rating_form or RatingForm(),
        "rating_words": RATING_WORDS,
        "manager": ticket.tenant.service_manager or ticket.tenant.account_manager,
        "at": at,
    }


def _ticket(request: HttpRequest, number: str) -> Ticket:
    ticket = selectors.ticket_for_customer(_tenant_id(request), number)
    if ticket is None:
        raise Http404
    return ticket


def _tenant_id(request: HttpRequest) -> int:
    tenant_id = identity_of(request).tenant_id
    if tenant_id is None:
        raise Http404
    return tenant_id


def _own(form: Any, error: DomainError) -> str | None:
    """Return the field that a refusal belongs to, if the form has it."""
    return error.field if error.field in form.fields else None
