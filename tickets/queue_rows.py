"""Rows of the agents' queue as HTML.

A console repaints for every agent whenever anything changes, and nearly all of its rows say what they said before. So
what a row shows is a value (``RowFacts``), its template gets nothing else, and equal values are rendered once. Nothing
has to be invalidated. What changes by the second, the time left, is put in afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from core.templatetags.ui import thread_time
from supportplans.states import PlanCode, Severity
from tickets.models import Clock
from tickets.queueing import Standing
from tickets.selectors.queue import QueueTicket, Row, reasons_of
from tickets.sla import ChipState, Countdown
from tickets.states import ClockKind
from tickets.wording import clock_notes

# Characters for private use: they stand in the kept HTML for the time left, and for what is spent.
LEFT, SPENT = "\ue000", "\ue001"
KEPT = 8192  # rows of about 2 KB


@dataclass(frozen=True, slots=True)
class RowFacts:
    """All that one row shows, except the time left. ``here`` is the query string of the view it stands in."""

    pk: int
    number: str
    title: str
    tenant: str
    assignee: str
    state: str
    standing: Standing
    plan_code: str
    due_at: datetime | None
    clock_kind: str
    clock_state: ChipState | None
    clock_seconds: int
    clock_facts: tuple[str, str, int] | None
    retargets: tuple[str, ...]
    is_promised: bool
    is_urged: bool
    last: str
    tags: tuple[str, ...]
    is_open: bool
    here: str

    @property
    def plan_label(self) -> str:
        """Return the plan's name."""
        return str(PlanCode(self.plan_code).label)

    @property
    def severity_label(self) -> str:
        """Return the severity's name."""
        return str(Severity(self.standing.severity).label)

    @property
    def clock_label(self) -> str:
        """Return which clock it is."""
        return str(ClockKind(self.clock_kind).label)

    @property
    def why(self) -> str:
        """Return why the row stands where it stands."""
        return " → ".join(reasons_of(self.standing, self.due_at, self.plan_code))

    @property
    def notes(self) -> Sequence[str]:
        """Return what staff can know of the running clock, in sentences."""
        if self.retargets or self.due_at is None or self.clock_facts is None:
            return self.retargets
        plan, severity, minutes = self.clock_facts
        clock = Clock(
            plan_code=plan,
            severity=severity,
            target_minutes=minutes,
            due_at=self.due_at,
            promised=self.is_promised,
        )
        return clock_notes(clock, [])

    @property
    def left(self) -> str:
        """Return where the time left will stand."""
        return LEFT

    @property
    def spent(self) -> str:
        """Return where the seconds that are spent will stand."""
        return SPENT


def rows_html(rows: Iterable[Row], *, here: str, open_pk: int | None) -> SafeString:
    """Return the rows one below the other; the row of the open ticket is marked."""
    language = get_language() or ""
    parts = []
    for row in rows:
        clock = row.clock
        html = _rendered(_facts(row, clock, here, open_pk), language)
        if clock:
            # No text of a person stands before the one, or after the other.
            before, _, rest = html.partition(LEFT)
            between, _, after = rest.rpartition(SPENT)
            html = f"{before}{clock.left}{between}{clock.spent_seconds}{after}"
        parts.append(html)
    return mark_safe("".join(parts))  # noqa: S308  (rendered by a template, figures put in)


def _facts(row: Row, clock: Countdown | None, here: str, open_pk: int | None) -> RowFacts:
    ticket = row.ticket
    last = "" if clock else f"{ticket.last_author} {thread_time(ticket.last_message_at, row.at)}"
    return RowFacts(
        pk=ticket.pk,
        number=ticket.number,
        title=ticket.title,
        tenant=ticket.tenant,
        assignee=ticket.assignee or "",
        state=ticket.state,
        standing=ticket.standing,
        plan_code=ticket.plan_code,
        due_at=ticket.due_at,
        clock_kind=ticket.clock_kind or "",
        clock_state=clock.state if clock else None,
        clock_seconds=clock.total_seconds if clock else 0,
        clock_facts=_clock_facts(ticket),
        retargets=tuple(row.retargeted.notes) if row.retargeted else (),
        is_promised=ticket.clock_promised is not False,
        is_urged=ticket.is_urged,
        last=last,
        tags=tuple(row.tags),
        is_open=ticket.pk == open_pk,
        here=here,
    )


def _clock_facts(ticket: QueueTicket) -> tuple[str, str, int] | None:
    plan, severity, minutes = ticket.clock_plan, ticket.clock_severity, ticket.clock_minutes
    return (plan, severity, minutes) if plan and severity and minutes else None


@lru_cache(maxsize=KEPT)
def _rendered(facts: RowFacts, language: str) -> str:
    """Return the row in the current language, which is part of the key."""
    return get_template("tickets/console_row.html").render({"row": facts})
