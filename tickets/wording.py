"""Sentences about tickets in the current language: timeline, promise line, places of the progress rail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from core.clock import local
from core.templatetags.ui import duration
from supportplans.states import PlanCode, Severity
from tickets import sla
from tickets.models import Clock, Ticket, TicketEvent
from tickets.states import ClockKind, ClockOutcome, Desk, TicketEventKind

# Lines of the timeline that stand between the messages of a conversation.
SHOWN_IN_THREAD = frozenset(TicketEventKind) - {
    TicketEventKind.SUBMITTED,
    TicketEventKind.RESPONDED,
    TicketEventKind.RESUMED,
}


def event_sentence(event: TicketEvent) -> str:
    """Return one line of the timeline as a sentence for the customer and for staff alike."""
    details = event.details
    name = event.actor_name
    match event.kind:
        case TicketEventKind.ROUTED:
            return _routed(details)
        case TicketEventKind.ASSIGNED:
            return _("已转交 %(title)s %(name)s") % {
                "title": details.get("title", ""),
                "name": details.get("name", ""),
            }
        case TicketEventKind.RETARGETED:
            return _retargeted(details)
        case TicketEventKind.SEVERITY_RAISED:
            return _("%(name)s 将级别提升为紧急") % {"name": name}
        case TicketEventKind.WAITING:
            return _("%(name)s 请客户补充信息，期间不计时") % {"name": name}
        case TicketEventKind.RESOLVED:
            return _("%(name)s 已给出方案，等待客户确认") % {"name": name}
        case TicketEventKind.REOPENED:
            return _("%(name)s 反馈问题仍在，工单重新打开") % {"name": name}
        case TicketEventKind.CLOSED if event.actor_id is None:
            return _("7 天内未收到反馈，工单自动关闭")
        case TicketEventKind.CLOSED:
            return _("%(name)s 确认已解决，工单关闭") % {"name": name}
        case TicketEventKind.RATED:
            return _("%(name)s 评价 %(score)d 星") % {"name": name, "score": details["score"]}
    return str(TicketEventKind(event.kind).label)


def _routed(details: dict[str, Any]) -> str:
    sentence = _("已按%(plan)s权益转入%(desk)s，首次响应目标 %(minutes)d 分钟")
    if not details.get("promised", True):
        sentence = _(
            "已按%(plan)s权益（试用）转入%(desk)s，首次响应目标 %(minutes)d 分钟，试用期不作承诺"
        )
    return sentence % {
        "plan": PlanCode(details["plan"]).label,
        "desk": Desk(details["desk"]).label,
        "minutes": details["minutes"],
    }


def _retargeted(details: dict[str, Any]) -> str:
    reason = str(details.get("reason", ""))
    if reason.startswith("plan_"):
        plan = PlanCode(reason.removeprefix("plan_")).label
        why = _("支持计划升级为%(plan)s") % {"plan": plan}
    elif reason == "window":
        why = _("重保开始")
    else:
        why = _("级别提升为%(severity)s") % {"severity": Severity.URGENT.label}
    due = local(datetime.fromisoformat(details["due"]))
    return _("%(why)s，响应目标由 %(before)d 分钟调整为 %(after)d 分钟，%(due)s 前响应") % {
        "why": why,
        "before": details["before"],
        "after": details["after"],
        "due": f"{due:%H:%M:%S}",
    }


def promise_sentence(ticket: Ticket, clock: Clock | None, at: datetime) -> str:
    """Return the promise of an answer in plain words for the customer, about the clock that matters now.

    Never a red counter: what is late is said, with an apology and who is on it (screens.md).
    """
    if clock is None:
        return ""
    label = ClockKind(clock.kind).label
    spent = duration((clock.stopped_at or at) - clock.started_at)
    if clock.outcome == ClockOutcome.WITHDRAWN:
        return ""
    if clock.stopped_at is not None:
        if sla.is_on_time(due=clock.due_at, answered=clock.stopped_at):
            return _("已于 %(spent)s响应") % {"spent": spent}
        return _("已于 %(spent)s响应，晚于目标 %(target)d 分钟，非常抱歉") % {
            "spent": spent,
            "target": clock.target_minutes,
        }
    if at > clock.due_at:
        who = ticket.assignee.display_name if ticket.assignee else _("值班组长")
        return _("我们未能在 %(target)d 分钟内响应，非常抱歉，%(who)s 正在跟进") % {
            "target": clock.target_minutes,
            "who": who,
        }
    if not clock.promised:
        return _("%(label)s目标 %(target)d 分钟（试用期不作承诺）") % {
            "label": label,
            "target": clock.target_minutes,
        }
    return _("%(label)s %(due)s 前") % {"label": label, "due": f"{local(clock.due_at):%H:%M}"}


def is_counting(clock: Clock, at: datetime) -> bool:
    """Return True while a customer is shown a promise that counts down: running, promised and not late."""
    return clock.stopped_at is None and clock.promised and at <= clock.due_at
