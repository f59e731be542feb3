"""Closed sets of values of tickets, with label and colour beside the value, and what may follow what."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models.users import StaffRole
from supportplans.states import Severity


class TicketState(models.TextChoices):
    """The life of a ticket (domain.md §5)."""

    NEW = "new", _("待响应")
    PROCESSING = "processing", _("处理中")
    WAITING = "waiting", _("待客户反馈")
    RESOLVED = "resolved", _("已解决")
    CLOSED = "closed", _("已关闭")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return _STATE_COLOURS[self.value]

    @property
    def turn(self) -> str:
        """Return the state in the customer's words: whose turn it is (screens.md)."""
        return str(_TURNS[self.value])


_STATE_COLOURS = {
    "new": "warn",
    "processing": "info",
    "waiting": "",
    "resolved": "ok",
    "closed": "",
}
_TURNS = {
    "new": _("等待我们响应"),
    "processing": _("我们正在处理"),
    "waiting": _("请您补充"),
    "resolved": _("已给出方案，请确认"),
    "closed": pgettext_lazy("turn", "已关闭"),
}

TICKET_MOVES: dict[str, frozenset[str]] = {
    TicketState.NEW: frozenset(
        {TicketState.PROCESSING, TicketState.WAITING, TicketState.RESOLVED, TicketState.CLOSED}
    ),
    TicketState.PROCESSING: frozenset(
        {TicketState.WAITING, TicketState.RESOLVED, TicketState.CLOSED}
    ),
    TicketState.WAITING: frozenset(
        {TicketState.PROCESSING, TicketState.RESOLVED, TicketState.CLOSED}
    ),
    TicketState.RESOLVED: frozenset({TicketState.PROCESSING, TicketState.CLOSED}),
    TicketState.CLOSED: frozenset({TicketState.PROCESSING}),
}
OPEN_STATES = (TicketState.NEW, TicketState.PROCESSING, TicketState.WAITING)
# What loads the person who has it: a ticket that waits for its customer asks nothing of anybody.
LOADING_STATES = (TicketState.NEW, TicketState.PROCESSING)
DONE_STATES = (TicketState.RESOLVED, TicketState.CLOSED)
# It is our turn: the customer may urge.
URGEABLE_STATES = (TicketState.NEW, TicketState.PROCESSING)


class TicketKind(models.TextChoices):
    """What a ticket is about (domain.md §5)."""

    TECHNICAL = "technical", _("技术类")
    BUSINESS = "business", _("业务类")
    REQUIREMENT = "requirement", _("需求")


class Effect(models.TextChoices):
    """How the customer's business is touched; the severity follows from it (guide 1.5.2)."""

    UNAVAILABLE = "unavailable", _("重要功能不可用")
    IMPAIRED = "impaired", _("重要功能受损或降级")
    ABNORMAL = "abnormal", _("非关键功能异常")
    QUESTION = "question", _("一般咨询")

    @property
    def severity(self) -> Severity:
        """Return the severity that the effect means."""
        return Severity.GENERAL if self == Effect.QUESTION else Severity.URGENT

    @property
    def example(self) -> str:
        """Return what the effect looks like, for the form."""
        return str(_EFFECT_EXAMPLES[self.value])


_EFFECT_EXAMPLES = {
    "unavailable": _("业务的重要功能完全无法使用，例如云主机无法连接、数据库宕机"),
    "impaired": _("重要功能变慢、时断时续或部分失败，例如延迟升高、部分请求报错"),
    "abnormal": _("不影响主要业务的功能出现异常，例如控制台页面显示错误"),
    "question": _("使用方法、配置建议、费用或备案等咨询"),
}


# Who can be given a ticket, and who sees the console besides (an account manager is told of breaches).
WORKING_ROLES = frozenset(
    {
        StaffRole.CUSTOMER_SERVICE,
        StaffRole.VIP_AGENT,
        StaffRole.ENGINEER,
        StaffRole.TEAM_LEAD,
        StaffRole.DUTY_MANAGER,
        StaffRole.FILING_STEWARD,
    }
)
# To whom tickets are dealt; the others take them by hand or are given them.
DEALT_ROLES = frozenset({StaffRole.VIP_AGENT, StaffRole.CUSTOMER_SERVICE, StaffRole.ENGINEER})
ANSWERING_ROLES = frozenset({StaffRole.VIP_AGENT, StaffRole.CUSTOMER_SERVICE})
CONSOLE_ROLES = (*sorted(WORKING_ROLES), StaffRole.ACCOUNT_MANAGER)


class Desk(models.TextChoices):
    """Who answers (domain.md §1): customer service for standard service, the VIP desk for paid plans."""

    STANDARD = "standard", _("客服")
    VIP = "vip", _("VIP 专席")


class DraftKind(models.TextChoices):
    """Which composer a draft stands in."""

    REPLY = "reply", _("回复客户")
    NOTE = "note", _("内部备注")


class ClockKind(models.TextChoices):
    """What a clock measures."""

    FIRST = "first", _("首次响应")
    NEXT = "next", _("后续响应")


class ClockOutcome(models.TextChoices):
    """Why a clock stands still."""

    RUNNING = "", _("计时中")
    ANSWERED = "answered", _("已响应")
    WITHDRAWN = "withdrawn", _("客户已关闭")
    MERGED = "merged", _("并入另一时钟")


class ClockEventKind(models.TextChoices):
    """What happened to a clock; from these rows every clock can be rebuilt."""

    STARTED = "started", _("开始计时")
    RETARGETED = "retargeted", _("调整目标")
    STOPPED = "stopped", _("停止计时")
    MOVED = "moved", _("随工单移动")


class TicketEventKind(models.TextChoices):
    """What happened to a ticket, as the customer may see it."""

    SUBMITTED = "submitted", _("提交工单")
    ROUTED = "routed", _("转入队列")
    RESPONDED = "responded", _("首次响应")
    ASSIGNED = "assigned", _("分派")
    RETARGETED = "retargeted", _("响应目标调整")
    TRANSFERRED = "transferred", _("转交")
    HANDED_BACK = "handed_back", _("交回")
    SEVERITY_RAISED = "severity_raised", _("级别提升")
    SEVERITY_LOWERED = "severity_lowered", _("级别降低")
    MERGED = "merged", _("合并")
    ABSORBED = "absorbed", _("并入其他工单")
    SPLIT = "split", _("拆分")
    LINKED = "linked", _("关联")
    UNLINKED = "unlinked", _("取消关联")
    OUT_OF_SCOPE = "out_of_scope", _("不在服务范围")
    REQUIREMENT = "requirement", _("需求进展")
    WAITING = "waiting", _("等待补充")
    RESUMED = "resumed", _("继续处理")
    RESOLVED = "resolved", _("给出方案")
    REOPENED = "reopened", _("重新打开")
    CLOSED = "closed", _("关闭")
    RATED = "rated", _("评价")
    URGED = "urged", _("催单")
    WATCHER_ADDED = "watcher_added", _("添加关注人")
    WATCHER_REMOVED = "watcher_removed", _("移除关注人")
    RECALLED = "recalled", _("撤回消息")


class RatingReason(models.TextChoices):
    """Why a customer rated as they did: chips beside the stars."""

    FAST = "fast", _("响应及时")
    SKILLED = "skilled", _("专业可靠")
    CLEAR = "clear", _("沟通清晰")
    SOLVED = "solved", _("问题彻底解决")
    SLOW = "slow", _("响应慢")
    UNSKILLED = "unskilled", _("不够专业")
    UNCLEAR = "unclear", _("沟通不清楚")
    UNSOLVED = "unsolved", _("问题未解决")

    @property
    def is_praise(self) -> bool:
        """Return True for what was good."""
        return self in {self.FAST, self.SKILLED, self.CLEAR, self.SOLVED}


class ScanState(models.TextChoices):
    """What is known about a file's safety. Only a scanner's word makes a file safe or blocked."""

    SCANNING = "scanning", _("安全检测中")
    SAFE = "safe", _("已检测，安全")
    BLOCKED = "blocked", _("检出风险，已拦截")
    UNSCANNED = "unscanned", _("未检测")
    DISCARDED = "discarded", _("已撤回")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return {"scanning": "info", "safe": "ok", "blocked": "bad"}.get(self.value, "")

    @property
    def is_open(self) -> bool:
        """Return True if people with a right to the file may have it."""
        return self in {self.SAFE, self.UNSCANNED}
