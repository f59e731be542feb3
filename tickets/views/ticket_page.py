"""What a customer's page of a ticket shows."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import identity_of
from messaging import live
from supportplans.states import PlanCode
from tickets import followup
from tickets.forms import CustomerReplyForm, RatingForm
from tickets.live import ticket_topic
from tickets.models import Clock, Rating, Ticket
from tickets.selectors import conversations, progress
from tickets.selectors.watchers import people_of, watchers_of
from tickets.states import DONE_STATES, URGEABLE_STATES, Effect, RatingReason
from tickets.views.uploads import limits, uploads_of
from tickets.wording import is_counting, promise_sentence

RATING_WORDS = (
    _("非常满意"),
    _("满意"),
    pgettext_lazy("rating", "一般"),
    _("不满意"),
    _("很不满意"),
)


def page_version(touched: int, ticket: Ticket, newest: Clock | None, at: datetime) -> str:
    """Return what an open page compares: what was touched, and what time alone has changed since."""
    is_late = ticket.due_at is not None and at > ticket.due_at
    possible = urge_at(ticket, newest)
    can_urge = possible is not None and at >= possible
    return f"{touched}.{int(is_late)}.{int(can_urge)}"


def urge_at(ticket: Ticket, newest: Clock | None) -> datetime | None:
    """Return from when the ticket can be urged; None while it is not our turn."""
    if newest is None or ticket.state not in URGEABLE_STATES:
        return None
    return followup.urge_possible_at(
        submitted=ticket.created_at,
        last_urge=ticket.urged_at,
        target_minutes=newest.target_minutes,
    )


def page_context(
    request: HttpRequest,
    ticket: Ticket,
    at: datetime,
    *,
    form: CustomerReplyForm | None = None,
    rating_form: RatingForm | None = None,
) -> dict[str, Any]:
    """Return the context of a ticket's page. The version is read first: what comes later is polled again."""
    touched = live.version(ticket_topic(ticket.pk))
    events = conversations.events_of(ticket)
    clocks = conversations.clocks_of(ticket)
    newest = conversations.clock_in_force(clocks)
    promised = conversations.clock_promised(clocks)
    rating = Rating.objects.filter(ticket=ticket).first() if ticket.state in DONE_STATES else None
    until = followup.reopen_until(resolved=ticket.resolved_at, closed=ticket.closed_at)
    possible = urge_at(ticket, newest)
    return {
        "ticket": ticket,
        "version": page_version(touched, ticket, newest, at),
        "entries": conversations.thread(ticket, events),
        "rail": progress.rail(ticket, events),
        "next_sentence": progress.next_sentence(ticket, newest, at),
        "steps": conversations.progress(ticket, events, clocks),
        "clock": conversations.ClockView(promised, at) if promised else None,
        "promise": promise_sentence(ticket, promised, at),
        "counting": promised is not None and is_counting(promised, at),
        "target_reasons": progress.target_reasons(ticket, promised, events) if promised else [],
        "urge_at": possible,
        "can_urge": possible is not None and at >= possible,
        "plan_label": PlanCode(ticket.plan_code).label,
        "rating": rating,
        "can_rate": ticket.state in DONE_STATES and rating is None,
        "reopen_until": until,
        "can_reopen": until is not None and at <= until,
        "recallable_since": at - followup.RECALL_WITHIN,
        "form": form or CustomerReplyForm(initial={"key": uuid.uuid4().hex}),
        "rating_form": rating_form or RatingForm(),
        "rating_words": RATING_WORDS,
        "rating_reasons": list(RatingReason),
        "urgent_effects": [effect for effect in Effect if effect != Effect.QUESTION],
        "manager": ticket.tenant.service_manager or ticket.tenant.account_manager,
        "at": at,
        "uploads": uploads_of(request),
        **limits(),
        **_people(request, ticket),
    }


def _people(request: HttpRequest, ticket: Ticket) -> dict[str, Any]:
    """Return who follows the ticket and who could. Two queries."""
    watchers = list(watchers_of(ticket))
    watching = {watcher.user_id for watcher in watchers}
    people = people_of(ticket.tenant_id)
    return {
        "watchers": watchers,
        "candidates": [place.user for place in people if place.user_id not in watching],
        "me": identity_of(request).user,
    }
