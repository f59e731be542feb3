"""Closed sets of values of what agents do with tickets beyond answering them (domain.md §1, §5)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.users import EngineerTier, StaffRole
from tickets.states import Desk

TIERS: tuple[str, ...] = tuple(EngineerTier.values)


@dataclass(frozen=True)
class Team:
    """Who has to have a ticket: those who answer at a desk, or engineers of a tier (domain.md §1)."""

    desk: str
    tier: str = ""

    @property
    def role(self) -> StaffRole:
        """Return the role of the team's people."""
        if self.tier:
            return StaffRole.ENGINEER
        return StaffRole.VIP_AGENT if self.desk == Desk.VIP else StaffRole.CUSTOMER_SERVICE

    def distance(self, roles: list[str], tier: str) -> int | None:
        """Return how far above the team's tier a person stands, None for one who does not belong to the team.

        A plan promises at least its tier: a higher one may stand in, a lower one never.
        """
        if self.role not in roles:
            return None
        if not self.tier:
            return 0
        above = TIERS.index(tier) - TIERS.index(self.tier) if tier in TIERS else -1
        return above if above >= 0 else None


class TransferTarget(models.TextChoices):
    """Where a ticket can be transferred: back to the desk that answers, to the VIP desk, to engineers of a tier."""

    DESK = "desk", _("交回受理席")
    VIP = "vip", _("VIP 专席")
    TECHNICAL = "technical", _("技术工程师")
    ADVANCED = "advanced", _("高级技术工程师")
    SENIOR = "senior", _("资深技术工程师")
    EXPERT = "expert", _("技术专家")


class LinkKind(models.TextChoices):
    """How two tickets of one customer belong together; the link's first ticket is the later one."""

    RELATED = "related", _("相关")
    FOLLOW_UP = "follow_up", _("后续")
    SPLIT = "split", _("拆分")


class IncidentState(models.TextChoices):
    """Whether an incident still collects tickets."""

    OPEN = "open", _("处理中")
    OVER = "over", _("已恢复")


class ChangeKind(models.TextChoices):
    """What an agent can take back within minutes: nothing of it was sent to anybody."""

    ASSIGNMENT = "assignment", _("分派")
    TAG = "tag", _("标签")
    SEVERITY = "severity", _("级别")
    LINK = "link", _("关联")
    INCIDENT = "incident", _("关联事件")


class RequirementStage(models.TextChoices):
    """The track of a wish for the product, which the customer follows (domain.md §5)."""

    COLLECTED = "collected", _("已收集")
    ASSESSED = "assessed", _("已评估")
    PLANNED = "planned", _("已规划")
    DONE = "done", _("已实现")
    DECLINED = "declined", _("不予采纳")


REQUIREMENT_MOVES: dict[str, frozenset[str]] = {
    RequirementStage.COLLECTED: frozenset({RequirementStage.ASSESSED, RequirementStage.DECLINED}),
    RequirementStage.ASSESSED: frozenset({RequirementStage.PLANNED, RequirementStage.DECLINED}),
    RequirementStage.PLANNED: frozenset({RequirementStage.DONE, RequirementStage.DECLINED}),
    RequirementStage.DONE: frozenset(),
    # What was declined may be taken up again.
    RequirementStage.DECLINED: frozenset({RequirementStage.ASSESSED}),
}
