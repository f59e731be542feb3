"""What the rules of tickets refuse."""

from django.utils.translation import gettext_lazy as _

from core.exceptions import DomainError


class TicketMoveRefused(DomainError):
    """The ticket's state does not allow the action (any more)."""

    code = "ticket_move_refused"
    message = _("工单状态已变化，请刷新后重试")


class ReplyEmpty(DomainError):
    """A reply or a note says something."""

    code = "reply_empty"
    message = _("请填写内容")
    status = 400


class ReplyNeeded(DomainError):
    """A customer who waits for an answer gets one before the ticket is resolved."""

    code = "reply_needed"
    message = _("客户正在等待回复，请填写回复内容后再标记为已解决")


class TicketAlreadyTaken(DomainError):
    """Someone else took the ticket first."""

    code = "ticket_already_taken"
    message = _("该工单已由其他同事接单")


class AssigneeUnfit(DomainError):
    """The person does not work tickets."""

    code = "assignee_unfit"
    message = _("该员工不处理工单")


class ReopenTooLate(DomainError):
    """A ticket can be reopened within 7 days of its resolution; later a new one is linked to it."""

    code = "reopen_too_late"
    message = _("已超过重新打开的期限，请提交新的工单")


class RatingRefused(DomainError):
    """Resolved tickets are rated, once."""

    code = "rating_refused"
    message = _("该工单暂不能评价或已经评价")
