"""Sentences about tickets in the current language: timeline, promise line, places of the progress rail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts.models.users import EngineerTier
from core.clock import local
from core.templatetags.ui import duration
from supportplans.states import PlanCode, Severity
from tickets import sla
from tickets.desk_states import LinkKind, RequirementStage
from tickets.models import Clock, Ticket, TicketEvent
from tickets.queueing import LEVEL_NAMES
from tickets.states import ClockKind, ClockOutcome, Desk, TicketEventKind

# Lines of the timeline that stand between the messages of a conversation.
SHOWN_IN_THREAD = frozenset(TicketEventKind) - {
    TicketEventKind.SUBMITTED,
    TicketEventKind.RESPONDED,
    TicketEventKind.RESUMED,
    TicketEventKind.RECALLED,
}

_SENTENCES: dict[str, Promise] = {
    TicketEventKind.SUBMITTED: gettext_lazy("%(who)s 提交工单"),
    TicketEventKind.RESPONDED: gettext_lazy("%(who)s 首次响应"),
    TicketEventKind.SEVERITY_RAISED: gettext_lazy("%(who)s 将级别提升为紧急"),
    TicketEventKind.SEVERITY_LOWERED: gettext_lazy("%(who)s 将级别调整为一般，已在计时的时限不变"),
    TicketEventKind.MERGED: gettext_lazy("%(who)s 将本工单合并至工单 %(number)s，后续在该工单处理"),
    TicketEventKind.ABSORBED: gettext_lazy("%(who)s 将工单 %(number)s 合并至本工单"),
    TicketEventKind.SPLIT: gettext_lazy(
        "%(who)s 将 %(count)d 条消息拆分为工单 %(number)s 单独处理"
    ),
    TicketEventKind.UNLINKED: gettext_lazy("%(who)s 取消了与工单 %(number)s 的关联"),
    TicketEventKind.WAITING: gettext_lazy("%(who)s 请客户补充信息，期间不计时"),
    TicketEventKind.RESUMED: gettext_lazy("%(who)s 已补充信息"),
    TicketEventKind.RESOLVED: gettext_lazy("%(who)s 已给出方案，等待客户确认"),
    TicketEventKind.REOPENED: gettext_lazy("%(who)s 反馈问题仍在，工单重新打开"),
    TicketEventKind.CLOSED: gettext_lazy("%(who)s 确认已解决，工单关闭"),
    TicketEventKind.RATED: gettext_lazy("%(who)s 评价 %(score)d 星"),
    TicketEventKind.URGED: gettext_lazy("%(who)s 催单，已通知处理人"),
    TicketEventKind.WATCHER_ADDED: gettext_lazy("%(who)s 将 %(name)s 添加为关注人"),
    TicketEventKind.WATCHER_REMOVED: gettext_lazy("%(who)s 将 %(name)s 移出关注人"),
    TicketEventKind.RECALLED: gettext_lazy("%(who)s 撤回了一条消息"),
}


def event_sentence(event: TicketEvent) -> str:
    """Return one line of the timeline as a sentence for the customer and for staff alike."""
    details = event.details
    if event.kind == TicketEventKind.ROUTED:
        return _routed(details)
    if event.kind == TicketEventKind.RETARGETED:
        return _retargeted(details)
    if event.kind == TicketEventKind.ASSIGNED:
        sentence = (
            _("已转交 %(title)s %(name)s") if event.actor_id else _("%(title)s %(name)s 已接单")
        )
        return sentence % details
    if event.kind in _DESK_SENTENCES:
        return _DESK_SENTENCES[event.kind](event)
    if event.kind == TicketEventKind.CLOSED and event.actor_id is None:
        return _("7 天内未收到反馈，工单自动关闭")
    return str(_SENTENCES[event.kind]) % {**details, "who": event.actor_name}


def _passed_on(event: TicketEvent) -> str:
    """Say to whom a ticket went; why is for staff only."""
    details = event.details
    team = EngineerTier(details["tier"]).label if details["tier"] else Desk(details["desk"]).label
    sentence = _("%(who)s 转交%(team)s处理")
    if event.kind == TicketEventKind.HANDED_BACK:
        sentence = _("%(who)s 交回%(team)s队列")
    return sentence % {"who": event.actor_name, "team": team}


def _linked(event: TicketEvent) -> str:
    sentence = {
        LinkKind.FOLLOW_UP: _("与工单 %(number)s 关联（后续）"),
        LinkKind.SPLIT: _("与工单 %(number)s 关联（拆分）"),
    }.get(LinkKind(event.details["link"]), _("%(who)s 关联了工单 %(number)s"))
    return sentence % {"who": event.actor_name, "number": event.details["number"]}


def _out_of_scope(event: TicketEvent) -> str:
    is_english = (get_language() or "").startswith("en")
    return _("所述问题不在服务范围内（%(item)s），工单关闭，7 天内回复可重新打开") % {
        "item": event.details["name_en" if is_english else "name"]
    }


def _requirement(event: TicketEvent) -> str:
    stage = RequirementStage(event.details["stage"])
    return _("%(who)s 更新需求进展：%(stage)s") % {"who": event.actor_name, "stage": stage.label}


_DESK_SENTENCES: dict[str, Callable[[TicketEvent], str]] = {
    TicketEventKind.TRANSFERRED: _passed_on,
    TicketEventKind.HANDED_BACK: _passed_on,
    TicketEventKind.LINKED: _linked,
    TicketEventKind.OUT_OF_SCOPE: _out_of_scope,
    TicketEventKind.REQUIREMENT: _requirement,
}


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
    due = local(datetime.fromisoformat(details["due"]))
    words = {**_change(details), "due": f"{due:%H:%M:%S}"}
    if details["grace"]:
        return (
            _(
                "%(why)s，响应目标由 %(before)d 分钟调整为 %(after)d 分钟，变更后至少保留 5 分钟，"
                "%(due)s 前响应"
            )
            % words
        )
    return _("%(why)s，响应目标由 %(before)d 分钟调整为 %(after)d 分钟，%(due)s 前响应") % words


def _change(details: dict[str, Any]) -> dict[str, Any]:
    """Return the words of a change of target: why, and the minutes before and after."""
    cause, _sep, what = str(details["reason"]).partition("_")
    if cause == "plan":
        why = _("支持计划升级为%(plan)s") % {"plan": PlanCode(what).label}
    elif cause == "window":
        why = _("%(level)s重保开始") % {"level": _(LEVEL_NAMES[int(what)])}
    else:
        why = _("级别提升为%(severity)s") % {"severity": Severity.URGENT.label}
    return {"why": why, "before": details["before"], "after": details["after"]}


class Retarget(NamedTuple):
    """A change of a clock's target: when, and why from how many minutes to how many."""

    created_at: datetime
    details: dict[str, Any]


def clock_notes(clock: Clock, retargets: Iterable[Retarget]) -> list[str]:
    """Return what staff can know of a clock, in sentences: due instant and zone, target and plan, re-targets."""
    target = {
        "minutes": clock.target_minutes,
        "plan": PlanCode(clock.plan_code).label,
        "severity": Severity(clock.severity).label,
    }
    notes = [
        _("应于 %(due)s（北京时间）前响应") % {"due": f"{local(clock.due_at):%Y-%m-%d %H:%M:%S}"},
        _("目标 %(minutes)d 分钟：%(plan)s，%(severity)s") % target
        if clock.promised
        else _("目标 %(minutes)d 分钟：%(plan)s，%(severity)s，试用期不作承诺") % target,
    ]
    for event in retargets:
        words = _change(event.details)
        words["at"] = f"{local(event.created_at):%m-%d %H:%M:%S}"
        notes.append(_("%(at)s %(why)s，%(before)d → %(after)d 分钟") % words)
    return notes


def promise_sentence(ticket: Ticket, clock: Clock | None, at: datetime) -> str:
    """Return the promise of an answer in plain words for the customer.

    Never a red counter: what is late is said, with an apology and who is on it (screens.md).
    """
    if clock is None or clock.outcome == ClockOutcome.WITHDRAWN:
        return ""
    words = {
        "label": ClockKind(clock.kind).label,
        "target": clock.target_minutes,
        "due": f"{local(clock.due_at):%H:%M}",
        "spent": duration((clock.stopped_at or at) - clock.started_at),
        "who": ticket.assignee.display_name if ticket.assignee else _("值班组长"),
    }
    if clock.stopped_at is not None and sla.is_on_time(due=clock.due_at, answered=clock.stopped_at):
        sentence = _("已于 %(spent)s响应")
    elif clock.stopped_at is not None:
        sentence = _("已于 %(spent)s响应，晚于目标 %(target)d 分钟，非常抱歉")
    elif at > clock.due_at:
        sentence = _("我们未能在 %(target)d 分钟内响应，非常抱歉，%(who)s 正在跟进")
    elif not clock.promised:
        sentence = _("%(label)s目标 %(target)d 分钟（试用期不作承诺）")
    else:
        sentence = _("%(label)s %(due)s 前")
    return sentence % words


def is_counting(clock: Clock, at: datetime) -> bool:
    """Return True while a customer is shown a promise that counts down: running, promised and not late."""
    return clock.stopped_at is None and clock.promised and at <= clock.due_at
