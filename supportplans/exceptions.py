"""What the rules of plans refuse."""

from django.utils.translation import gettext_lazy as _

from core.exceptions import DomainError


class SubscriptionAlreadyActive(DomainError):
    """A plan is bought only from standard service or a trial (domain.md §2)."""

    code = "subscription_already_active"
    message = _("您已有生效中的支持计划，请使用升配、降配或续订")


class PriceMissing(DomainError):
    """The plan has no price at this instant."""

    code = "price_missing"
    message = _("该支持计划当前没有可用价格")


class FigureMissing(DomainError):
    """A figure of the rules has no value at this instant: the catalogue was not loaded."""

    code = "figure_missing"
    status = 500


class SubscriptionEnded(DomainError):
    """The subscription has ended meanwhile."""

    code = "subscription_ended"
    message = _("该支持计划已结束")


class TrialNotPossible(DomainError):
    """A trial is granted once per account, and not beside a paid plan (domain.md §2)."""

    code = "trial_not_possible"
    message = _("每个账户可试用一次，且试用前未订购支持计划")


class TrialAlreadyDecided(DomainError):
    """Somebody else has decided the application, or the customer has taken it back."""

    code = "trial_already_decided"
    message = _("该试用申请已处理")


class TrialDaysInvalid(DomainError):
    """A trial lasts one day or more."""

    code = "trial_days_invalid"
    message = _("试用天数须为 1 至 365 的整数")
    status = 422


class AnswerMissing(DomainError):
    """A refusal says why."""

    code = "answer_missing"
    message = _("请填写驳回原因")
    status = 422


class LinkNotOffered(DomainError):
    """Linked accounts come with a business or enterprise plan that was bought, while the offer lasts (domain.md §6)."""

    code = "link_not_offered"
    message = _("关联账号面向商业级和企业级支持计划，当前暂不可申请")


class LinkApplicationsClosed(DomainError):
    """The offer goes on for who has it, and takes nobody new."""

    code = "link_applications_closed"
    message = _("关联账号优惠已停止受理新申请")


class LinkLimitReached(DomainError):
    """The plan's number of linked accounts is used up; open proposals count."""

    code = "link_limit_reached"
    message = _("可关联账号数已用完，请先解除已有关联或取消未完成的邀请")


class LinkToItself(DomainError):
    """An account cannot be linked to itself."""

    code = "link_to_itself"
    message = _("不能关联当前账号")
    status = 422


class LinkAlreadyOpen(DomainError):
    """The account is linked or proposed already."""

    code = "link_already_open"
    message = _("已向该账号发出邀请或已与其关联")


class LinkHasPrincipal(DomainError):
    """One account has at most one principal."""

    code = "link_has_principal"
    message = _("该账号已有主账号或正在等待审批的关联")


class LinkMoveRefused(DomainError):
    """The link is not in a state in which this is possible; somebody may have been faster."""

    code = "link_move_refused"
    message = _("关联状态已变化，请刷新后重试")
