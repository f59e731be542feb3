"""The agents' queue: four views, keyset pages, capped counts. Their cost does not grow with the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet, TextChoices
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.access import Identity
from accounts.models import StaffMember
from accounts.models.users import StaffRole
from core.clock import local
from supportplans.states import PlanCode
from tickets.followup import urge_waits
from tickets.models import Clock, Ticket, TicketTag
from tickets.queueing import Standing, why_here
from tickets.selectors.clocks import clock_views
from tickets.selectors.conversations import ClockView
from tickets.selectors.words import newest_containing
from tickets.sla import Countdown
from tickets.states import (
    ANSWERING_ROLES,
    CONSOLE_ROLES,
    DONE_STATES,
    OPEN_STATES,
    WORKING_ROLES,
    Desk,
)

PAGE_SIZE = 50
COUNT_CAP = 99
SOON = timedelta(minutes=5)
Found = QuerySet[Ticket, tuple[Any, ...]]


class Alarm(TextChoices):
    """What the counters in the top bar warn of: missed deadlines, and those within five minutes."""

    LATE = "late", _("已超时")
    SOON = "soon", _("5 分钟内超时")


class QueueView(TextChoices):
    """What an agent can look at."""

    WAITING = "waiting", _("待响应")
    MINE = "mine", _("我的")
    WORK = "work", _("处理中")
    DONE = "done", _("已解决")
    UNASSIGNED = "unassigned", _("未分派")
    BREACHED = "breached", _("已超时")


# Views in the order of the queue; the others show what was touched last.
RANKED_VIEWS = frozenset(
    {QueueView.WAITING, QueueView.MINE, QueueView.UNASSIGNED, QueueView.BREACHED}
)


class QueueTicket(NamedTuple):
    """What the queue shows of a ticket, with the start of its running clock.

    Narrow and plain: the queue is read again with every change for every agent. ``clock_*`` are empty when none runs.
    """

    pk: int
    number: str
    title: str
    severity: str
    state: str
    plan_code: str
    assurance_level: int | None
    restore_priority: int
    is_linked: bool
    queue_rank: int
    due_at: datetime | None
    last_message_at: datetime
    last_author: str
    resolved_at: datetime | None
    urged_at: datetime | None
    last_is_staff: bool
    tenant: str
    assignee: str | None
    clock_kind: str | None
    clock_promised: bool | None
    clock_started_at: datetime | None
    clock_plan: str | None
    clock_severity: str | None
    clock_minutes: int | None
    clock_retargeted_at: datetime | None
    tags: list[str]

    @property
    def standing(self) -> Standing:
        """Return what decides the ticket's place in the queue."""
        return Standing(
            self.assurance_level, self.severity, self.restore_priority, linked=self.is_linked
        )

    @property
    def is_urged(self) -> bool:
        """Return True from the customer's urge (催单) until staff answers."""
        return self.state in OPEN_STATES and urge_waits(
            urged=self.urged_at,
            last_message=self.last_message_at,
            last_is_staff=self.last_is_staff,
        )


_SHOWN = (
    *QueueTicket._fields[:16],
    "tenant__name",
    "assignee__display_name",
    "running__kind",
    "running__promised",
    "running__started_at",
    "running__plan_code",
    "running__severity",
    "running__target_minutes",
    "running__retargeted_at",
    "tags",
)


@dataclass(frozen=True)
class Row:
    """One line of the queue at an instant."""

    ticket: QueueTicket
    at: datetime
    retargeted: ClockView | None = None

    @property
    def tags(self) -> list[str]:
        """Return the names of the ticket's tags, in the order of the catalogue."""
        return self.ticket.tags

    @property
    def clock(self) -> Countdown | None:
        """Return the running clock."""
        ticket = self.ticket
        if ticket.due_at is None or ticket.clock_started_at is None:
            return None
        return Countdown(ticket.clock_started_at, ticket.due_at, self.at)

    @property
    def plan_label(self) -> str:
        """Return the plan's name."""
        return str(PlanCode(self.ticket.plan_code).label)

    @property
    def why(self) -> str:
        """Return why the ticket stands where it stands."""
        ticket = self.ticket
        return " → ".join(reasons_of(ticket.standing, ticket.due_at, ticket.plan_code))


@dataclass(frozen=True)
class Page:
    """Rows and the key from which the next page goes on; None on the last page."""

    rows: list[Row]
    next_after: str | None


def desks_of(identity: Identity) -> list[str]:
    """Return the desks that a person may look at, the first one by default; an empty text is both (domain.md §1).

    Those who answer for one desk see that desk; leads and everyone who handles tickets of both see both.
    """
    desks = [
        desk
        for role, desk in (
            (StaffRole.VIP_AGENT, Desk.VIP.value),
            (StaffRole.CUSTOMER_SERVICE, Desk.STANDARD.value),
        )
        if identity.has_staff_role(role)
    ]
    sees_both = identity.has_staff_role(*(set(CONSOLE_ROLES) - ANSWERING_ROLES))
    return desks if len(desks) == 1 and not sees_both else ["", Desk.VIP, Desk.STANDARD]


def queue_page(
    *,
    view: str,
    desk: str,
    staff: StaffMember,
    after: str = "",
    text: str = "",
    tag: int = 0,
    at: datetime,
) -> Page:
    """Return a page of a view, or the newest tickets that contain ``text``; with ``tag`` those that have it.

    One query, up to two more for words.
    """
    if text.strip():
        return Page(_rows(newest_containing(rows_of(desk), text, PAGE_SIZE), at), None)
    tickets = _of_view(view, desk, staff, at)
    if tag:
        tickets = tickets.filter(Exists(TicketTag.objects.filter(ticket=OuterRef("pk"), tag=tag)))
    found = list(_after(tickets, view, after)[: PAGE_SIZE + 1])
    rows = _rows(found[:PAGE_SIZE], at)
    return Page(rows, _key(rows[-1].ticket, view) if len(found) > PAGE_SIZE else None)


# Each part stops at one more than is shown. By hand: it runs with every page of the console, and Django takes longer to
# put five queries together than PostgreSQL to answer them. An empty desk is both.
_COUNTS = """
SELECT (SELECT count(*) FROM (SELECT FROM tickets_ticket WHERE due_at IS NOT NULL
                              AND (%(desk)s = '' OR desk = %(desk)s) LIMIT %(most)s) AS waiting),
       (SELECT count(*) FROM (SELECT FROM tickets_ticket WHERE state IN %(open)s AND assignee_id = %(staff)s
                              LIMIT %(most)s) AS mine),
       (SELECT count(*) FROM (SELECT FROM tickets_ticket WHERE state IN %(open)s AND due_at IS NULL
                              AND (%(desk)s = '' OR desk = %(desk)s) LIMIT %(most)s) AS work),
       (SELECT count(*) FROM (SELECT FROM tickets_ticket WHERE due_at > %(at)s AND due_at <= %(soon)s
                              AND (%(desk)s = '' OR desk = %(desk)s) LIMIT %(most)s) AS soon),
       (SELECT count(*) FROM (SELECT FROM tickets_ticket WHERE due_at <= %(at)s
                              AND (%(desk)s = '' OR desk = %(desk)s) LIMIT %(most)s) AS late),
       (SELECT min(next_stage_at) FROM tickets_clock WHERE next_stage_at < %(at)s)
"""
_COUNTED = (QueueView.WAITING, QueueView.MINE, QueueView.WORK, Alarm.SOON, Alarm.LATE)


@dataclass(frozen=True)
class Counts:
    """Numbers of tickets per view and alarm, and by how many seconds the sweep is late."""

    of: dict[str, str]
    lag_seconds: float


def queue_counts(*, desk: str, staff: StaffMember, at: datetime) -> Counts:
    """Return the number of tickets per view and alarm, ``99+`` beyond 99, and how late the sweep is.

    One query that reads at most 100 rows of each.
    """
    values: dict[str, Any] = {
        "desk": desk,
        "staff": staff.pk,
        "open": tuple(OPEN_STATES),
        "at": at,
        "soon": at + SOON,
        "most": COUNT_CAP + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, values)
        *counted, oldest = cursor.fetchone()
    return Counts(
        of={
            name.value: f"{COUNT_CAP}+" if found > COUNT_CAP else str(found)
            for name, found in zip(_COUNTED, counted, strict=True)
        },
        lag_seconds=(at - oldest).total_seconds() if oldest else 0.0,
    )


def ticket_for_staff(number: str, *also: str) -> Ticket | None:
    """Return a ticket with what its pane names, and the relations ``also``, or None."""
    return (
        Ticket.objects.filter(number=number)
        .defer("search")
        .select_related("product_line", "assignee", "tenant", *also)
        .first()
    )


def ticket_id_for_staff(number: str) -> int | None:
    """Return the id of a ticket, or None."""
    return Ticket.objects.filter(number=number).values_list("pk", flat=True).first()


def assignees() -> QuerySet[StaffMember]:
    """Return the people who work tickets, at most 200."""
    fit = StaffMember.objects.filter(is_active=True, roles__overlap=sorted(WORKING_ROLES))
    return fit.only("display_name", "title").order_by("display_name")[:200]


def recent_tickets(ticket: Ticket, since: datetime) -> QuerySet[Ticket]:
    """Return the customer's last five other tickets since an instant."""
    others = Ticket.objects.filter(tenant_id=ticket.tenant_id, created_at__gte=since)
    return others.exclude(pk=ticket.pk).defer("search").order_by("-created_at", "-id")[:5]


def reasons_of(standing: Standing, due_at: datetime | None, plan_code: str) -> list[str]:
    """Return why a ticket stands where it stands."""
    deadline = f"{local(due_at):%H:%M:%S}" if due_at else ""
    return why_here(standing, deadline=deadline, plan=str(PlanCode(plan_code).label))


def rows_of(desk: str) -> Found:
    """Return what ``QueueTicket._make`` takes of a desk's tickets, of both for an empty one."""
    running = FilteredRelation("clocks", condition=Q(clocks__stopped_at=None))
    tickets = Ticket.objects.filter(desk=desk) if desk else Ticket.objects.all()
    name = "tag__name_en" if (get_language() or "").startswith("en") else "tag__name"
    tags = TicketTag.objects.filter(ticket=OuterRef("pk")).order_by("tag__position", "tag_id")
    shown = tickets.annotate(running=running, tags=ArraySubquery(tags.values(name)))
    return shown.values_list(*_SHOWN)


def _of_view(view: str, desk: str, staff: StaffMember, at: datetime) -> Found:
    waiting = rows_of(desk).filter(due_at__isnull=False).order_by("queue_rank", "due_at", "id")
    match view:
        case QueueView.UNASSIGNED:
            return waiting.filter(assignee=None)
        case QueueView.BREACHED:
            return waiting.filter(due_at__lte=at)
        case QueueView.MINE:
            mine = rows_of("").filter(assignee=staff, state__in=OPEN_STATES)
            return mine.order_by("queue_rank", "due_at", "id")
        case QueueView.WORK:
            working = Q(state__in=OPEN_STATES, due_at__isnull=True)
            return rows_of(desk).filter(working).order_by("-last_message_at", "-id")
        case QueueView.DONE:
            return rows_of(desk).filter(state__in=DONE_STATES).order_by("-resolved_at", "-id")
    return waiting


def _after(tickets: Found, view: str, after: str) -> Found:
    """Go on behind the row that ``after`` names; what cannot be read starts from the top."""
    parts = after.split("~")
    try:
        if view in RANKED_VIEWS and len(parts) == 3:  # noqa: PLR2004  (rank, due, id)
            key = (int(parts[0]), datetime.fromisoformat(parts[1]), int(parts[2]))
            return tickets.filter(TupleGreaterThan(("queue_rank", "due_at", "id"), key))
        if view in {QueueView.WORK, QueueView.DONE} and len(parts) == 2:  # noqa: PLR2004  (instant, id)
            field = "last_message_at" if view == QueueView.WORK else "resolved_at"
            older = (datetime.fromisoformat(parts[0]), int(parts[1]))
            return tickets.filter(TupleLessThan((field, "id"), older))
    except ValueError:
        return tickets
    return tickets


def _key(ticket: QueueTicket, view: str) -> str | None:
    match view:
        case _ if view in RANKED_VIEWS and ticket.due_at is not None:
            return f"{ticket.queue_rank}~{ticket.due_at.isoformat()}~{ticket.pk}"
        case QueueView.WORK:
            return f"{ticket.last_message_at.isoformat()}~{ticket.pk}"
        case QueueView.DONE if ticket.resolved_at is not None:
            return f"{ticket.resolved_at.isoformat()}~{ticket.pk}"
    return None


def _rows(found: Iterable[tuple[Any, ...]], at: datetime) -> list[Row]:
    """Return the rows. Two queries where a clock was re-targeted, none otherwise."""
    tickets = [QueueTicket._make(values) for values in found]
    changed = [ticket.pk for ticket in tickets if ticket.clock_retargeted_at]
    told: dict[int, ClockView] = {}
    if changed:
        clocks = Clock.objects.filter(ticket__in=changed, stopped_at=None)
        told = {view.clock.ticket_id: view for view in clock_views(clocks, at)}
    return [Row(ticket, at, told.get(ticket.pk)) for ticket in tickets]
