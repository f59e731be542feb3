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
