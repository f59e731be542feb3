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
