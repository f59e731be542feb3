"""The agents' queue: four views, keyset pages, capped counts. Their cost does not grow with the table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, TextChoices, Value
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan
from django.utils.translation import gettext_lazy as _

from accounts.access import Identity
from accounts.models import StaffMember
from accounts.models.users import StaffRole
from core.clock import local
from supportplans.states import PlanCode
from tickets.models import Clock, Tag, Ticket, TicketTag
from tickets.queueing import why_here
from tickets.selectors.clocks import clock_views
from tickets.selectors.conversations import ClockView
from tickets.selectors.tags import tags_of
from tickets.selectors.tickets import matching
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


@dataclass(frozen=True)
class Row:
    """One line of the queue."""

    ticket: Ticket
    clock: ClockView | None
    why: str
    tags: list[Tag]

    @property
    def plan_label(self) -> str:
        """Return the plan's name."""
        return str(PlanCode(self.ticket.plan_code).label)


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

    Three queries.
    """
    if text.strip():
        tickets = _rows(desk).filter(matching(text)).order_by("-id")[:PAGE_SIZE]
        return Page(_with_clocks(list(tickets), at), None)
    tickets = _of_view(view, desk, staff, at)
    if tag:
        tickets = tickets.filter(Exists(TicketTag.objects.filter(ticket=OuterRef("pk"), tag=tag)))
    found = list(_after(tickets, view, after)[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    found = found[:PAGE_SIZE]
    return Page(_with_clocks(found, at), _key(found[-1], view) if more else None)


def queue_counts(*, desk: str, staff: StaffMember, at: datetime) -> dict[str, str]:
    """Return the number of tickets per view and alarm, ``99+`` beyond 99.

    One query that reads at most 100 rows of each.
    """
    views = (QueueView.WAITING, QueueView.MINE, QueueView.WORK)
    counted = {view.value: _of_view(view, desk, staff, at) for view in views}
    counted[Alarm.SOON.value] = _rows(desk).filter(due_at__gt=at, due_at__lte=at + SOON)
    counted[Alarm.LATE.value] = _rows(desk).filter(due_at__lte=at)
    parts = [
        tickets.select_related(None)
        .order_by()
        .annotate(counted=Value(name))
        .values_list("counted", flat=True)[: COUNT_CAP + 1]
        for name, tickets in counted.items()
    ]
    found = Counter(parts[0].union(*parts[1:], all=True))
    return {
        name: f"{COUNT_CAP}+" if found[name] > COUNT_CAP else str(found[name]) for name in counted
    }


def ticket_for_staff(number: str) -> Ticket | None:
    """Return a ticket with what its pane names, or None."""
    return (
        Ticket.objects.filter(number=number)
        .defer("search")
        .select_related("category", "product_line", "assignee", "tenant__account_manager")
        .select_related("tenant__service_manager")
        .first()
    )


def assignees() -> QuerySet[StaffMember]:
    """Return the people who work tickets, at most 200."""
    fit = StaffMember.objects.filter(is_active=True, roles__overlap=sorted(WORKING_ROLES))
    return fit.order_by("display_name")[:200]


def recent_tickets(ticket: Ticket, since: datetime) -> QuerySet[Ticket]:
    """Return the customer's last five other tickets since an instant."""
    others = Ticket.objects.filter(tenant_id=ticket.tenant_id, created_at__gte=since)
    return others.exclude(pk=ticket.pk).defer("search").order_by("-created_at", "-id")[:5]


def reasons(ticket: Ticket) -> list[str]:
    """Return why a ticket stands where it stands."""
    deadline = f"{local(ticket.due_at):%H:%M:%S}" if ticket.due_at else ""
    plan = str(PlanCode(ticket.plan_code).label)
    return why_here(ticket.standing, deadline=deadline, plan=plan)


def _rows(desk: str) -> QuerySet[Ticket]:
    tickets = Ticket.objects.defer("search").select_related("tenant", "assignee")
    return tickets.filter(desk=desk) if desk else tickets


def _of_view(view: str, desk: str, staff: StaffMember, at: datetime) -> QuerySet[Ticket]:
    waiting = _rows(desk).filter(due_at__isnull=False).order_by("queue_rank", "due_at", "id")
    match view:
        case QueueView.UNASSIGNED:
            return waiting.filter(assignee=None)
        case QueueView.BREACHED:
            return waiting.filter(due_at__lte=at)
        case QueueView.MINE:
            mine = Ticket.objects.defer("search").select_related("tenant", "assignee")
            return mine.filter(assignee=staff, state__in=OPEN_STATES).order_by(
                "queue_rank", "due_at", "id"
            )
        case QueueView.WORK:
            working = Q(state__in=OPEN_STATES, due_at__isnull=True)
            return _rows(desk).filter(working).order_by("-last_message_at", "-id")
        case QueueView.DONE:
            return _rows(desk).filter(state__in=DONE_STATES).order_by("-resolved_at", "-id")
    return waiting


def _after(tickets: QuerySet[Ticket], view: str, after: str) -> QuerySet[Ticket]:
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


def _key(ticket: Ticket, view: str) -> str | None:
    match view:
        case _ if view in RANKED_VIEWS and ticket.due_at is not None:
            return f"{ticket.queue_rank}~{ticket.due_at.isoformat()}~{ticket.pk}"
        case QueueView.WORK:
            return f"{ticket.last_message_at.isoformat()}~{ticket.pk}"
        case QueueView.DONE if ticket.resolved_at is not None:
            return f"{ticket.resolved_at.isoformat()}~{ticket.pk}"
    return None


def _with_clocks(tickets: list[Ticket], at: datetime) -> list[Row]:
    waiting = [ticket.pk for ticket in tickets if ticket.due_at]
    clocks = Clock.objects.filter(ticket_id__in=waiting, stopped_at=None)
    running = {view.clock.ticket_id: view for view in clock_views(clocks, at)}
    tags = tags_of([ticket.pk for ticket in tickets])
    return [
        Row(ticket, running.get(ticket.pk), " → ".join(reasons(ticket)), tags.get(ticket.pk, []))
        for ticket in tickets
    ]
