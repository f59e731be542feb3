"""One ticket's page: the conversation with the lines of its timeline, the clocks, the progress."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from core.templatetags.ui import duration
from tickets import sla
from tickets.models import (
    Attachment,
    Clock,
    Ticket,
    TicketEvent,
    TicketMessage,
    TicketNote,
)
from tickets.states import ClockKind, Desk, TicketEventKind, TicketState
from tickets.wording import SHOWN_IN_THREAD, Retarget, clock_notes, event_sentence

# A conversation shows its newest entries; older ones are one click away by the API.
ENTRIES_SHOWN = 300


@dataclass(frozen=True)
class Entry:
    """One thing in a thread: a message, a note (staff's threads only) or a line of the timeline."""

    at: datetime
    message: TicketMessage | None = None
    note: TicketNote | None = None
    sentence: str = ""


@dataclass(frozen=True)
class Run:
    """Neighbours in a thread: what people wrote, or lines of the timeline, which staff sees folded to the last one."""

    entries: list[Entry]
    is_folded: bool

    @property
    def last(self) -> Entry:
        """Return the newest of them."""
        return self.entries[-1]


@dataclass(frozen=True)
class Step:
    """One place of the progress rail."""

    label: str
    detail: str = ""
    at: datetime | None = None
    state: str = "done"  # done, now, next or late


@dataclass(frozen=True)
class ClockView:
    """A clock as the page shows it at an instant."""

    clock: Clock
    at: datetime
    retargets: list[Retarget] = field(default_factory=list)

    @property
    def notes(self) -> list[str]:
        """Return due instant and zone, target and plan, and every re-target with its reason, for staff."""
        return clock_notes(self.clock, self.retargets)

    @property
    def state(self) -> sla.ChipState:
        """Return the state of the chip."""
        return self.clock.chip_state(self.at)

    @property
    def label(self) -> str:
        """Return which clock it is."""
        return str(ClockKind(self.clock.kind).label)

    @property
    def is_running(self) -> bool:
        """Return True until there is an answer."""
        return self.clock.stopped_at is None

    @property
    def spent(self) -> timedelta:
        """Return how long the customer has waited."""
        return (self.clock.stopped_at or self.at) - self.clock.started_at

    @property
    def total_seconds(self) -> int:
        """Return the whole time from start to due."""
        return int((self.clock.due_at - self.clock.started_at).total_seconds())

    @property
    def spent_seconds(self) -> int:
        """Return the time used, at most the whole time (for the meter)."""
        return min(self.total_seconds, int(self.spent.total_seconds()))

    @property
    def left(self) -> str:
        """Return what is left as mm:ss, with a plus sign what it is late by."""
        return sla.left_words(self.clock.due_at, self.at)


def thread(ticket: Ticket, events: Iterable[TicketEvent], *, notes: bool = False) -> list[Entry]:
    """Return the conversation from oldest to newest. Two queries, one more with ``notes`` (staff's scope only)."""
    entries = [
        Entry(at=row.created_at, message=row)
        for row in reversed(messages_of(ticket)[:ENTRIES_SHOWN])
    ]
    entries += [
        Entry(at=row.created_at, sentence=event_sentence(row))
        for row in events
        if row.kind in SHOWN_IN_THREAD
    ]
    if notes:
        newest = TicketNote.objects.filter(ticket__in=_with_merged(ticket)).order_by(
            "-created_at", "-id"
        )
        entries += [Entry(at=row.created_at, note=row) for row in newest[:ENTRIES_SHOWN]]
    # Of one instant, what people wrote comes before what it caused.
    return sorted(entries, key=lambda entry: (entry.at, bool(entry.sentence)))


def messages_of(ticket: Ticket) -> QuerySet[TicketMessage]:
    """Return what was said to a ticket and to those that were merged into it, newest first, with files.

    ``number`` is that of the ticket to which it was said.
    """
    return (
        TicketMessage.objects.filter(ticket__in=_with_merged(ticket))
        .defer("search")
        .annotate(number=F("ticket__number"))
        .prefetch_related(Prefetch("attachments", Attachment.objects.order_by("id")))
        .order_by("-created_at", "-id")
    )


def _with_merged(ticket: Ticket) -> QuerySet[Ticket, Any]:
    """Return the ids of a ticket and of those that were merged into it, for one question to the database."""
    return Ticket.objects.filter(Q(pk=ticket.pk) | Q(merged_into=ticket.pk)).values("pk")


def runs(entries: Iterable[Entry]) -> list[Run]:
    """Return a thread in runs: neighbouring lines of the timeline together, and what people wrote between them."""
    grouped = (
        (is_line, list(run)) for is_line, run in groupby(entries, lambda e: bool(e.sentence))
    )
    return [Run(run, is_line and len(run) > 1) for is_line, run in grouped]


def events_of(ticket: Ticket) -> list[TicketEvent]:
    """Return the ticket's timeline. One query."""
    newest = TicketEvent.objects.filter(ticket=ticket).order_by("-created_at", "-id")
    return list(reversed(newest[:ENTRIES_SHOWN]))


def clocks_of(ticket: Ticket) -> list[Clock]:
    """Return the ticket's first clock and its latest ones, oldest first. One query."""
    newest = Clock.objects.filter(ticket=ticket).order_by("-started_at", "-id")
    return list(reversed(newest[:50]))


def newest_clock(ticket: Ticket) -> Clock | None:
    """Return the clock that runs or ran last. One query."""
    return Clock.objects.filter(ticket=ticket).order_by("-started_at", "-id").first()


def clock_in_force(clocks: list[Clock]) -> Clock | None:
    """Return the running clock, else the last one that ran (what an agent works against)."""
    return clocks[-1] if clocks else None


def clock_promised(clocks: list[Clock]) -> Clock | None:
    """Return the running clock, else the first one: what was promised to the customer, and how it was kept."""
    running = [clock for clock in clocks if clock.stopped_at is None]
    return next(iter(running or clocks), None)


def progress(ticket: Ticket, events: Iterable[TicketEvent], clocks: list[Clock]) -> list[Step]:
    """Return the rail: what happened with names and times, what is happening, what comes next (design 06)."""
    first = next((clock for clock in clocks if clock.kind == ClockKind.FIRST), None)
    steps: list[Step] = []
    for event in events:
        match event.kind:
            case TicketEventKind.SUBMITTED:
                steps.append(Step(_("提交工单"), event.actor_name, event.created_at))
            case TicketEventKind.RESPONDED:
                steps.append(_responded(ticket, event, first))
            case TicketEventKind.ASSIGNED:
                title = event.details.get("title") or _("同事")
                label = _("转%(title)s") % {"title": title}
                if not event.actor_id:
                    label = _("%(title)s接单") % {"title": title}
                steps.append(Step(label, str(event.details.get("name", "")), event.created_at))
            case (
                TicketEventKind.RESOLVED
                | TicketEventKind.REOPENED
                | TicketEventKind.CLOSED
                | TicketEventKind.OUT_OF_SCOPE
            ):
                label = str(TicketEventKind(event.kind).label)
                steps.append(Step(label, event.actor_name, event.created_at))
    return steps + _ahead(ticket)


def _responded(ticket: Ticket, event: TicketEvent, first: Clock | None) -> Step:
    spent = duration(event.created_at - ticket.created_at)
    late = first is not None and event.created_at > first.due_at
    return Step(
        _("%(desk)s响应") % {"desk": Desk(ticket.desk).label},
        _("%(name)s · 用时 %(spent)s") % {"name": event.actor_name, "spent": spent},
        event.created_at,
        "late" if late else "done",
    )


def _ahead(ticket: Ticket) -> list[Step]:
    desk = str(Desk(ticket.desk).label)
    confirm = Step(_("确认解决"), _("由您确认后关闭，可评价"), state="next")
    match ticket.state:
        case TicketState.NEW:
            waiting = Step(_("等待%(desk)s响应") % {"desk": desk}, state="now")
            return [waiting, Step(_("处理"), state="next"), confirm]
        case TicketState.PROCESSING:
            who = ticket.assignee.display_name if ticket.assignee else ""
            return [Step(_("处理中"), who, state="now"), confirm]
        case TicketState.WAITING:
            return [Step(_("请您补充信息"), _("期间不计时"), state="now"), confirm]
        case TicketState.RESOLVED:
            return [Step(_("待您确认"), _("7 天内未确认将自动关闭"), ticket.closes_at, "now")]
    return []
