"""Customers' pages: submit, and one ticket with its conversation."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actor_of, customer_view
from core import clock
from core.exceptions import DomainError
from messaging import live
from supportplans.selectors.coverage import coverage_at
from tickets.forms import CustomerReplyForm, RatingForm, TicketForm
from tickets.live import ticket_topic
from tickets.models import Ticket
from tickets.selectors import conversations
from tickets.selectors.tickets import ticket_for_customer
from tickets.services import drafts, ratings, replies
from tickets.services import tickets as services
from tickets.states import Effect, TicketKind
from tickets.views.common import own_field, tenant_id_of, ticket_of
from tickets.views.drafts import initial_of, typed_in
from tickets.views.ticket_page import page_context, page_version
from tickets.views.uploads import limits, uploads_of


@customer_view()
@require_http_methods(["GET", "HEAD", "POST"])
def ticket_new(request: HttpRequest) -> HttpResponse:
    """Open a ticket; what was typed stays when something is wrong.

    ``?draft=`` goes on with a draft, ``?follows=`` takes up an earlier ticket again.
    """
    tenant_id, key = tenant_id_of(request), request.GET.get("draft", "")
    if request.method == "POST" and request.POST.get("action") == "draft":
        return _keep(request)
    initial = initial_of(request, key) if key and request.method != "POST" else {}
    followed = _followed(request, request.GET.get("follows", ""))
    if followed is not None:
        initial = {**initial, "follows": followed.number}
    form = TicketForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        ticket = _submit(request, form)
        if ticket is not None:
            return redirect(ticket)
    coverage = coverage_at(tenant_id, clock.now())
    effects = [(effect, coverage.target_minutes[effect.severity]) for effect in Effect]
    named = initial["uploads"].split(",") if initial.get("uploads") else None
    context = {
        **limits(),
        "form": form,
        "uploads": uploads_of(request, named),
        "effects": effects,
        "coverage": coverage,
        "chosen": form["effect"].value() or "",
    }
    return render(request, "tickets/ticket_new.html", context)


@customer_view()
@require_safe
def ticket_detail(request: HttpRequest, number: str) -> HttpResponse:
    """Show one ticket: promise, conversation, progress, and what the customer can do next; a merged one leads on."""
    ticket = ticket_of(request, number)
    if ticket.merged_into is not None:
        return redirect(ticket.merged_into)
    return render(request, "tickets/ticket_detail.html", page_context(request, ticket, clock.now()))


@customer_view()
@require_safe
def ticket_live(request: HttpRequest, number: str) -> HttpResponse:
    """Answer 204 while nothing is new, else the parts of the page that changed."""
    ticket, at = ticket_of(request, number), clock.now()
    touched = live.version(ticket_topic(ticket.pk))
    newest = conversations.newest_clock(ticket)
    if request.GET.get("version") == page_version(touched, ticket, newest, at):
        return HttpResponse(status=204)
    return render(request, "tickets/ticket_detail.html#live", page_context(request, ticket, at))


@customer_view()
@require_POST
def reply_create(request: HttpRequest, number: str) -> HttpResponse:
    """Add the customer's reply; on a solved ticket it reopens."""
    ticket, at = ticket_of(request, number), clock.now()
    form = CustomerReplyForm(request.POST, request.FILES)
    if form.is_valid():
        data = form.cleaned_data
        try:
            ticket = replies.reply_add(
                ticket_id=ticket.pk,
                body=data["body"],
                actor=actor_of(request),
                at=at,
                attachments=[*data["attachments"], *uploads_of(request)],
                idempotency_key=data["key"] or None,
            )
        except DomainError as error:
            form.add_error(own_field(form, error), str(error.message))
        else:
            return redirect(ticket)
    context = page_context(request, ticket, at, form=form)
    return render(request, "tickets/ticket_detail.html", context, status=400)


@customer_view()
@require_POST
def ticket_reopen(request: HttpRequest, number: str) -> HttpResponse:
    """Say that the problem is not solved."""
    ticket, at = ticket_of(request, number), clock.now()
    form = CustomerReplyForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            replies.ticket_reopen(
                ticket_id=ticket.pk,
                body=form.cleaned_data["body"],
                actor=actor_of(request),
                at=at,
                attachments=[*form.cleaned_data["attachments"], *uploads_of(request)],
                idempotency_key=form.cleaned_data["key"] or None,
            )
        except DomainError as error:
            form.add_error(own_field(form, error), str(error.message))
        else:
            return redirect(ticket)
    context = page_context(request, ticket, at, form=form)
    return render(request, "tickets/ticket_detail.html", context, status=400)


@customer_view()
@require_POST
def ticket_rate(request: HttpRequest, number: str) -> HttpResponse:
    """Rate the help."""
    ticket, at = ticket_of(request, number), clock.now()
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
    context = page_context(request, ticket, at, rating_form=form)
    return render(request, "tickets/ticket_detail.html", context, status=400)


def _keep(request: HttpRequest) -> HttpResponse:
    """Keep the form as a draft and go to the list, where it stands."""
    kept = drafts.draft_save(
        tenant_id=tenant_id_of(request),
        key=request.POST.get("key", ""),
        content=typed_in(request),
        actor=actor_of(request),
        at=clock.now(),
    )
    if kept is not None:
        messages.success(request, _("草稿已保存"))
    return redirect("tickets:ticket_list")


def _submit(request: HttpRequest, form: TicketForm) -> Ticket | None:
    """Submit the form's ticket; None when a rule refused it, with the reason in the form."""
    data, at = form.cleaned_data, clock.now()
    effect, tenant_id, actor = Effect(data["effect"]), tenant_id_of(request), actor_of(request)
    try:
        ticket = services.ticket_submit(
            tenant_id=tenant_id,
            title=data["title"],
            body=data["body"],
            severity=effect.severity,
            kind=TicketKind(data["kind"]),
            category=data["category"],
            product_line=data["product_line"],
            actor=actor,
            at=at,
            idempotency_key=data["key"],
            attachments=[*data["attachments"], *uploads_of(request)],
            effect=effect,
            resource=data["resource"],
            follows=_followed(request, data["follows"]),
        )
    except DomainError as error:
        form.add_error(own_field(form, error), str(error.message))
        return None
    drafts.draft_end(tenant_id=tenant_id, key=data["key"], actor=actor, at=at)
    return ticket


def _followed(request: HttpRequest, number: str) -> Ticket | None:
    """Return the tenant's earlier ticket that a new one takes up again, or None."""
    return ticket_for_customer(tenant_id_of(request), number) if number else None
