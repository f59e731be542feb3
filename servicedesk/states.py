"""The life of a service order, and the closed sets of its values (domain.md §7)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    """待审批 → 处理中 → 已完成, or 驳回 with a reason, or 已取消."""

    REQUESTED = "requested", _("待审批")
    IN_PROGRESS = "in_progress", _("处理中")
    COMPLETED = "completed", _("已完成")
    REJECTED = "rejected", _("驳回")
    CANCELLED = "cancelled", _("已取消")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return COLOURS[self]


COLOURS = {
    State.REQUESTED: "warn",
    State.IN_PROGRESS: "info",
    State.COMPLETED: "ok",
    State.REJECTED: "bad",
    State.CANCELLED: "standard",
}
MOVES: dict[str, frozenset[str]] = {
    State.REQUESTED: frozenset({State.IN_PROGRESS, State.REJECTED, State.CANCELLED}),
    State.IN_PROGRESS: frozenset({State.COMPLETED, State.CANCELLED}),
    State.COMPLETED: frozenset(),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
}


class Origin(models.TextChoices):
    """Who filed it."""

    CUSTOMER = "customer", _("客户申请")
    MANAGER = "manager", _("客户经理登记")
    SYSTEM = "system", _("系统发起")


class Scenario(models.TextChoices):
    """On which occasion a service is given 提供场景 (guide 1.5.6)."""

    JOIN = "join", _("加入支持计划")
    EVENT = "event", _("重大活动")
    CHANGE = "change", _("重大变更")
    YEARLY = "yearly", _("每年一次")


class DeliveryWay(models.TextChoices):
    """How deliverables reach the customer 提供方式."""

    EMAIL = "email", _("邮件")
    PORTAL = "portal", _("在线下载")
    MEETING = "meeting", _("会议讲解")
    ON_SITE = "on_site", _("现场")


class DeliverableKind(models.TextChoices):
    """What a file is to its service order."""

    DELIVERABLE = "deliverable", _("交付件")
    PROOF = "proof", _("推送凭证")
    RISK_LETTER = "risk_letter", _("风险确认函")


STAR_WORDS = {
    1: _("很不满意"),
    2: _("不满意"),
    3: pgettext_lazy("rating", "一般"),
    4: _("满意"),
    5: _("非常满意"),
}
