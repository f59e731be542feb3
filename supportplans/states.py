"""Closed sets of values, with label and colour beside the value, and what may follow what."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PlanCode(models.TextChoices):
    """The four plans (domain.md §1)."""

    STANDARD = "standard", _("标准服务")
    LITE = "lite", _("轻量级")
    BUSINESS = "business", _("商业级")
    ENTERPRISE = "enterprise", _("企业级")


class Severity(models.TextChoices):
    """How a ticket touches the business (guide 1.5.2)."""

    URGENT = "urgent", _("紧急")
    GENERAL = "general", _("一般")


class Basis(models.TextChoices):
    """On what ground a subscription runs. Only what is paid carries a promise (guide 1.5)."""

    PAID = "paid", _("付费")
    TRIAL = "trial", _("试用")
    BETA = "beta", _("公测")
    INVITED = "invited", _("邀测")


class SubscriptionState(models.TextChoices):
    """The life of a subscription (domain.md §2)."""

    ACTIVE = "active", _("有效")
    EXPIRED = "expired", _("已到期")
    CANCELLED = "cancelled", _("无效")


SUBSCRIPTION_MOVES: dict[str, frozenset[str]] = {
    SubscriptionState.ACTIVE: frozenset({SubscriptionState.EXPIRED, SubscriptionState.CANCELLED}),
    SubscriptionState.EXPIRED: frozenset(),
    SubscriptionState.CANCELLED: frozenset(),
}


class LineKind(models.TextChoices):
    """Why a paid line exists."""

    PURCHASE = "purchase", _("订购")
    RENEWAL = "renewal", _("续订")
    UPGRADE = "upgrade", _("升配")
    DOWNGRADE = "downgrade", _("降配")


class EntitlementKind(models.TextChoices):
    """How a plan gives a service (guide 1.4)."""

    NONE = "none", _("不提供")
    INCLUDED = "included", _("包含")
    ON_APPLICATION = "on_application", _("可申请")
    PROACTIVE = "proactive", _("主动提供")
    QUOTA = "quota", _("限次")
    TEXT = "text", _("说明")


class EntitlementAction(models.TextChoices):
    """What the customer can do with a service on the plan page."""

    NONE = "", _("无")
    CALL = "call", _("拨打热线")
    TICKET = "ticket", _("创建工单")
    CHAT = "chat", _("联系客服")
    DOCS = "docs", _("访问帮助中心")
    API = "api", _("访问 API 中心")
    APPLY = "apply", _("申请")
    ORDERS = "orders", _("查看服务单")
    REPORTS = "reports", _("查看月报")


class WindowState(models.TextChoices):
    """The life of an assurance window."""

    REQUESTED = "requested", _("待审批")
    APPROVED = "approved", _("已通过")
    ENDED = "ended", _("已结束")
    CANCELLED = "cancelled", _("已取消")


class QuotaState(models.TextChoices):
    """The life of one use of a counted service."""

    HELD = "held", _("占用")
    USED = "used", _("已用")
    RETURNED = "returned", _("已退回")


class FigureCode(models.TextChoices):
    """Figures of the rules that operators can change; the unit stands in the label."""

    TRIAL_DAYS = "trial_days", _("试用期（天）")
    TERM_YEARS = "term_years", _("最长购买时长（年）")
    END_NOTICE_1 = "end_notice_1", _("第 1 次到期提醒提前天数（0 为不提醒）")
    END_NOTICE_2 = "end_notice_2", _("第 2 次到期提醒提前天数（0 为不提醒）")
    END_NOTICE_3 = "end_notice_3", _("第 3 次到期提醒提前天数（0 为不提醒）")
    END_NOTICE_4 = "end_notice_4", _("第 4 次到期提醒提前天数（0 为不提醒）")
    END_NOTICE_5 = "end_notice_5", _("第 5 次到期提醒提前天数（0 为不提醒）")
    FREE_RETURNS = "free_returns", _("七天无理由退订次数（每账号）")
    FREE_RETURN_HOURS = "free_return_hours", _("七天无理由退订时限（小时）")
    CHANGES_MAX = "changes_max", _("升降配次数上限")
    CHANGES_WITHIN_DAYS = "changes_within_days", _("升降配次数计算周期（天）")
    ORDER_HOURS = "order_hours", _("订单支付时限（小时）")
    CHANGE_ORDER_MINUTES = "change_order_minutes", _("升降配订单支付时限下限（分钟）")
    CHANGE_ORDER_HOURS = "change_order_hours", _("升降配订单支付时限上限（小时）")
    TRANSFER_DAYS = "transfer_days", _("对公转账订单支付时限（天）")
    AUTO_RENEW_DAYS = "auto_renew_days", _("自动续订提前天数")
    TOP_UP_MIN = "top_up_min", _("单笔充值下限（元）")
    TOP_UP_MAX = "top_up_max", _("单笔充值上限（元）")
    REFUND_APPROVAL_ABOVE = "refund_approval_above", _("超过此金额的退款需财务审批（元）")
    LINK_OFFER = "link_offer", _("关联账号限时优惠（1 开放，0 结束）")
    LINK_APPLICATIONS = "link_applications", _("关联账号受理新申请（1 受理，0 停止）")
    LINK_ANSWER_DAYS = "link_answer_days", _("关联邀请有效期（天）")
    WARN_FIRST = "warn_first", _("工单首次提醒（响应时限的 %）")
    WARN_AGAIN = "warn_again", _("工单再次提醒（响应时限的 %）")
    ESCALATE = "escalate", _("工单升级值班经理（响应时限的 %）")


# What a figure may be where not every number makes sense: the least, the most, whole numbers only. The due instant is
# 100 %: warnings lie before it, the escalation after it.
FIGURE_BOUNDS: dict[str, tuple[int, int]] = {
    FigureCode.WARN_FIRST: (1, 99),
    FigureCode.WARN_AGAIN: (1, 99),
    FigureCode.ESCALATE: (101, 1000),
}


# Reminders before the end of a term.
END_NOTICES = tuple(code for code in FigureCode if code.name.startswith("END_NOTICE"))


class TrialState(models.TextChoices):
    """The life of an application for a trial."""

    REQUESTED = "requested", _("待审批")
    GRANTED = "granted", _("已通过")
    REFUSED = "refused", _("驳回")
    WITHDRAWN = "withdrawn", _("已取消")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return {"requested": "warn", "granted": "ok", "refused": "bad", "withdrawn": "muted"}[
            self.value
        ]


TRIAL_MOVES: dict[str, frozenset[str]] = {
    TrialState.REQUESTED: frozenset({TrialState.GRANTED, TrialState.REFUSED, TrialState.WITHDRAWN}),
    TrialState.GRANTED: frozenset(),
    TrialState.REFUSED: frozenset(),
    TrialState.WITHDRAWN: frozenset(),
}


class LinkSide(models.TextChoices):
    """Which of the two accounts a link's row belongs to."""

    PRINCIPAL = "principal", _("主账号")
    LINKED = "linked", _("被关联账号")


class LinkState(models.TextChoices):
    """The life of a linked account (domain.md §6)."""

    PROPOSED = "proposed", _("待对方确认")
    ACCEPTED = "accepted", _("待审批")
    ACTIVE = "active", _("已关联")
    REFUSED = "refused", _("对方已拒绝")
    REJECTED = "rejected", _("驳回")
    WITHDRAWN = "withdrawn", _("已取消")
    LAPSED = "lapsed", _("已失效")
    ENDED = "ended", _("已解除")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return {
            "proposed": "warn",
            "accepted": "warn",
            "active": "ok",
            "refused": "bad",
            "rejected": "bad",
        }.get(self.value, "muted")


LINK_OPEN_STATES = (LinkState.PROPOSED, LinkState.ACCEPTED, LinkState.ACTIVE)
LINK_MOVES: dict[str, frozenset[str]] = {
    LinkState.PROPOSED: frozenset(
        {LinkState.ACCEPTED, LinkState.REFUSED, LinkState.WITHDRAWN, LinkState.LAPSED}
    ),
    LinkState.ACCEPTED: frozenset(
        {
            LinkState.ACTIVE,
            LinkState.REFUSED,
            LinkState.REJECTED,
            LinkState.WITHDRAWN,
            LinkState.LAPSED,
        }
    ),
    LinkState.ACTIVE: frozenset({LinkState.ENDED}),
    LinkState.REFUSED: frozenset(),
    LinkState.REJECTED: frozenset(),
    LinkState.WITHDRAWN: frozenset(),
    LinkState.LAPSED: frozenset(),
    LinkState.ENDED: frozenset(),
}


class LinkEnd(models.TextChoices):
    """Why a link ended, or never came to run."""

    NONE = "", _("无")
    PRINCIPAL = "principal", _("主账号解除")
    LINKED = "linked", _("被关联账号解除")
    STAFF = "staff", _("客户经理解除")
    PLAN = "plan", _("主账号支持计划变更")
    OFFER = "offer", _("限时优惠结束")
    UNANSWERED = "unanswered", _("逾期未确认")
