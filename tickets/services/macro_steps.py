"""What a macro can do: a registry of steps, each a thin call of a service that exists anyway (screens.md, macros).

A step is ``{"kind": …, …}`` in ``Macro.steps``. Another module adds its own with ``register_step`` and, so that the
preview shows what it changes, ``register_field``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.access import Actor
from accounts.models import StaffMember
from core.exceptions import DomainError
from supportplans.states import Severity
from tickets.models import Ticket, TicketTag
from tickets.services.assignment import ticket_assign
from tickets.services.coverages import severity_raise
from tickets.services.replies import note_add, reply_add
from tickets.services.tags import ticket_tag_add
from tickets.services.tickets import ticket_resolve
from tickets.states import TicketState

ME = "me"


class StepInvalid(DomainError):
    """A step of a macro cannot be kept as it is."""

    code = "macro_step_invalid"
    status = 400


@dataclass(frozen=True)
class Run:
    """One application of a macro to one ticket. ``texts`` are filled in already, by the step's kind."""

    ticket_id: int
    steps: dict[str, dict[str, Any]]
    texts: dict[str, str]
    actor: Actor
    at: datetime
    idempotency_key: str | None = None

    @property
    def becomes(self) -> str:
        """Return the state that the macro sets, or nothing."""
        return str(self.steps.get("state", {}).get("to", ""))


@dataclass(frozen=True)
class StepKind:
    """A kind of step: in which order it is done, how it is checked when kept, and what it does."""

    kind: str
    label: str | Promise
    order: int
    apply: Callable[[Run, dict[str, Any]], None]
    check: Callable[[dict[str, Any], dict[str, dict[str, Any]]], None] = field(
        default=lambda _step, _steps: None
    )


STEPS: dict[str, StepKind] = {}
# What the preview compares before and after: a word for people, and how it reads on a ticket.
FIELDS: dict[str, tuple[str | Promise, Callable[[Ticket], str]]] = {}


def register_step(step: StepKind) -> None:
    """Let macros have another kind of step."""
    STEPS[step.kind] = step


def register_field(name: str, label: str | Promise, read: Callable[[Ticket], str]) -> None:
    """Let the preview of macros show what becomes of another field."""
    FIELDS[name] = (label, read)


def _text_check(step: dict[str, Any], _steps: dict[str, dict[str, Any]]) -> None:
    if not str(step.get("body", "")).strip():
        raise StepInvalid(_("请填写内容"))


def _note(run: Run, _step: dict[str, Any]) -> None:
    note_add(ticket_id=run.ticket_id, body=run.texts["note"], actor=run.actor, at=run.at)


def _reply(run: Run, _step: dict[str, Any]) -> None:
    """Send the reply; the solution is sent by the step that sets the state."""
    if run.becomes != TicketState.RESOLVED:
        reply_add(
            ticket_id=run.ticket_id,
            body=run.texts["reply"],
            actor=run.actor,
            at=run.at,
            wait=run.becomes == TicketState.WAITING,
            idempotency_key=run.idempotency_key,
        )


def _state(run: Run, _step: dict[str, Any]) -> None:
    if run.becomes == TicketState.RESOLVED:
        ticket_resolve(
            ticket_id=run.ticket_id, body=run.texts.get("reply", ""), actor=run.actor, at=run.at
        )


def _state_check(step: dict[str, Any], steps: dict[str, dict[str, Any]]) -> None:
    """待客户反馈 exists only together with a public reply (domain.md §5)."""
    if step.get("to") not in {TicketState.WAITING, TicketState.RESOLVED}:
        raise StepInvalid(_("宏只能设为待客户反馈或已解决"))
    if step["to"] == TicketState.WAITING and "reply" not in steps:
        raise StepInvalid(_("“待客户反馈”只能和公开回复一起设置"))


def _assign(run: Run, step: dict[str, Any]) -> None:
    card = StaffMember.objects.get(user=run.actor.user).pk if step["to"] == ME else int(step["to"])
    ticket_assign(ticket_id=run.ticket_id, staff_member_id=card, actor=run.actor, at=run.at)


def _assign_check(step: dict[str, Any], _steps: dict[str, dict[str, Any]]) -> None:
    if step.get("to") != ME and not isinstance(step.get("to"), int):
        raise StepInvalid(_("请选择处理人"))


def _severity(run: Run, _step: dict[str, Any]) -> None:
    """Raise it where there is something to raise: lowering exists nowhere."""
    if Ticket.objects.values_list("severity", flat=True).get(pk=run.ticket_id) != Severity.URGENT:
        severity_raise(ticket_id=run.ticket_id, actor=run.actor, at=run.at)


def _tags(run: Run, step: dict[str, Any]) -> None:
    for tag_id in step["ids"]:
        ticket_tag_add(ticket_id=run.ticket_id, tag_id=tag_id, actor=run.actor, at=run.at)


def _tags_read(ticket: Ticket) -> str:
    rows = TicketTag.objects.filter(ticket=ticket).select_related("tag").order_by("tag__position")
    return "、".join(str(row.tag) for row in rows) or "—"


def _tags_check(step: dict[str, Any], _steps: dict[str, dict[str, Any]]) -> None:
    ids = step.get("ids")
    if not isinstance(ids, list) or not ids or not all(isinstance(pk, int) for pk in ids):
        raise StepInvalid(_("请选择标签"))


register_step(StepKind("severity", _("提升为紧急"), 10, _severity))
register_step(StepKind("assign", _("转派"), 20, _assign, _assign_check))
register_step(StepKind("tags", _("添加标签"), 25, _tags, _tags_check))
register_step(StepKind("note", _("内部备注"), 30, _note, _text_check))
register_step(StepKind("reply", _("回复客户"), 40, _reply, _text_check))
register_step(StepKind("state", _("状态"), 50, _state, _state_check))
register_field("state", _("状态"), lambda ticket: str(TicketState(ticket.state).label))
register_field(
    "assignee", _("处理人"), lambda ticket: ticket.assignee.display_name if ticket.assignee else "—"
)
register_field("severity", _("级别"), lambda ticket: str(Severity(ticket.severity).label))
register_field("tags", _("标签"), _tags_read)
register_field(
    "clock", _("响应计时"), lambda ticket: str(_("计时中") if ticket.due_at else _("不计时"))
)
