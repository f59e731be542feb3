"""What the rules of service orders refuse."""

from django.utils.translation import gettext_lazy as _

from core.exceptions import DomainError


class ItemNotIncluded(DomainError):
    """The customer's plan does not give this service, or not on this occasion (guide 1.4, 1.5.6, 1.5.7)."""

    code = "item_not_included"
    message = _("该客户当前的支持计划不包含此服务或提供场景")


class ServiceOrderMoveRefused(DomainError):
    """The service order has moved on; somebody else was first."""

    code = "service_order_move_refused"
    message = _("服务单状态已变化，请刷新后重试")


class DeliverableMissing(DomainError):
    """A service order is completed with at least one deliverable."""

    code = "deliverable_missing"
    message = _("请先上传交付件，再完成服务单")


class RatingNotOpen(DomainError):
    """Only a completed service order is rated; a rating can be changed for seven days."""

    code = "rating_not_open"
    message = _("服务单完成后方可评价，评价提交后 7 天内可修改")


class ReasonMissing(DomainError):
    """A refusal says why."""

    code = "reason_missing"
    message = _("请填写原因")
    status = 400
