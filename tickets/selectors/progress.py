"""Where a ticket stands, for the customer: the rail of five places, what happens next, and why this target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.clock import local
from supportplans.states import PlanCode, Severity
from tickets import followup
from tickets.models import Clock, Ticket, TicketEvent
from tickets.states import Desk, TicketEventKind, TicketState
from tickets.wording import event_sentence

_LEVELS = {1: gettext_lazy("一级重保"), 2: gettext_lazy("二级重保"), 3: gettext_lazy("三级重保")}


@dataclass(frozen=True)
class Stage:
    """One place of the rail: ``state`` is done, now, next or skipped; ``who`` names the person with the role."""

    label: str
    state: str
    at: datetime | None = None
    who: str = ""


def rail(ticket: Ticket, events: Iterable[TicketEvent]) -> list[Stage]:
    """Return the five places 已提交 → 已响应 → 处理中 → 待您确认 → 已关闭 with their times and people."""
    last = {event.kind: event for event in events}
    responded = last.get(TicketEventKind.RESPONDED)
    is_ended = ticket.state in {TicketState.RESOLVED, TicketState.CLOSED}
    desk = str(Desk(ticket.desk).label)
    answered = Stage(_("已响应"), "skipped")
    if ticket.first_response_at is not None:
        answered = Stage(_("已响应"), "done", ticket.first_response_at, _person(responded))
    elif not is_ended:
        answered = Stage(_("待响应"), "now", None, desk)
    return [
        Stage(_("已提交"), "done", ticket.created_at, ticket.actor_name),
        answered,
        _in_work(ticket, last, is_ended=is_ended),
        _to_confirm(ticket, last.get(TicketEventKind.RESOLVED)),
        _closed(ticket, last.get(TicketEventKind.CLOSED) or last.get(TicketEventKind.OUT_OF_SCOPE)),
    ]


def _in_work(ticket: Ticket, last: dict[str, TicketEvent], *, is_ended: bool) -> Stage:
    who = ""
    if ticket.assignee is not None:
        who = " · ".join(filter(None, [ticket.assignee.title, ticket.assignee.display_name]))
    if ticket.first_response_at is None:
        return Stage(_("处理中"), "skipped" if is_ended else "next")
    assigned = last.get(TicketEventKind.ASSIGNED)
    since = assigned.created_at if assigned else ticket.first_response_at
    if is_ended:
        return Stage(_("处理中"), "done", since, who)
    label = _("请您补充") if ticket.state == TicketState.WAITING else _("处理中")
    return Stage(label, "now", since, who)


def _to_confirm(ticket: Ticket, resolved: TicketEvent | None) -> Stage:
    if ticket.state == TicketState.RESOLVED:
        return Stage(_("待您确认"), "now", ticket.resolved_at, _person(resolved))
    if ticket.state == TicketState.CLOSED:
        if resolved is None:
            return Stage(_("待您确认"), "skipped")
        return Stage(_("您已确认"), "done", resolved.created_at, _person(resolved))
    return Stage(_("待您确认"), "next")


def _closed(ticket: Ticket, closed: TicketEvent | None) -> Stage:
    if ticket.state != TicketState.CLOSED:
        return Stage(_("已关闭"), "next")
    return Stage(_("已关闭"), "done", ticket.closed_at, closed.actor_name if closed else "")


def _person(event: TicketEvent | None) -> str:
    """Return who it was, with the role they had then."""
    return " · ".join(filter(None, [event.actor_title, event.actor_name])) if event else ""


def next_sentence(ticket: Ticket, clock: Clock | None, at: datetime) -> str:
    """Return what happens next and when, in plain words."""
    words = {
        "who": ticket.assignee.display_name if ticket.assignee else Desk(ticket.desk).label,
        "due": f"{local(ticket.due_at):%m-%d %H:%M}" if ticket.due_at else "",
        "closes": f"{local(ticket.closes_at):%Y-%m-%d %H:%M}" if ticket.closes_at else "",
    }
    is_late = ticket.due_at is not None and at > ticket.due_at
    match ticket.state:
        case TicketState.NEW | TicketState.PROCESSING if is_late:
            sentence = _("接下来：%(who)s 正在优先处理您的工单，回复后会立即通知您")
        case TicketState.NEW | TicketState.PROCESSING if ticket.due_at is not None:
            sentence = _("接下来：%(who)s 将在 %(due)s 前回复您")
            if clock is not None and not clock.promised:
                sentence = _("接下来：%(who)s 将回复您，目标 %(due)s 前（试用期不作承诺）")
        case TicketState.NEW | TicketState.PROCESSING:
            sentence = _("接下来：%(who)s 继续处理，有进展会在这里回复并通知您")
        case TicketState.WAITING:
            sentence = _("接下来：请您补充信息，收到后我们继续处理，期间不计时")
        case TicketState.RESOLVED:
            sentence = _("接下来：请确认是否解决；%(closes)s 前未确认将自动关闭")
        case _:
            return _reopening(ticket, at)
    return sentence % words


def _reopening(ticket: Ticket, at: datetime) -> str:
    until = followup.reopen_until(resolved=ticket.resolved_at, closed=ticket.closed_at)
    if until is None or at > until:
        return _("工单已关闭，已超过重新打开的期限；如有新的问题，请提交新工单")
    return _("工单已关闭；如问题重现，可在 %(until)s 前重新打开") % {
        "until": f"{local(until):%Y-%m-%d %H:%M}"
    }


def target_reasons(ticket: Ticket, clock: Clock, events: Iterable[TicketEvent]) -> list[str]:
    """Return why the clock has this target: plan and severity, assurance window, every later change."""
    reasons = [
        _("%(plan)s · %(severity)s工单：目标 %(minutes)d 分钟，7×24 小时计算")
        % {
            "plan": PlanCode(clock.plan_code).label,
            "severity": Severity(clock.severity).label,
            "minutes": clock.target_minutes,
        }
    ]
    if ticket.assurance_level:
        reasons.append(
            _("%(level)s期间，按重保级别提高响应目标和优先级")
            % {"level": _LEVELS[ticket.assurance_level]}
        )
    reasons += [
        event_sentence(event)
        for event in events
        if event.kind == TicketEventKind.RETARGETED and event.created_at >= clock.started_at
    ]
    if not clock.promised:
        reasons.append(_("试用期展示目标，不作承诺"))
    reasons.append(
        _("到 %(due)s 止（北京时间）") % {"due": f"{local(clock.due_at):%Y-%m-%d %H:%M:%S}"}
    )
    return reasons
