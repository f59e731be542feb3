"""What the rules of tickets refuse."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

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


class CapacityOutOfRange(DomainError):
    """A person works on 1 to 50 tickets at a time."""

    code = "capacity_out_of_range"
    message = _("同时处理上限为 1 至 50")
    status = 400


class ReasonNeeded(DomainError):
    """Who comes after reads why."""

    code = "reason_needed"
    message = _("请填写原因")
    status = 400


class TransferPointless(DomainError):
    """The ticket is there already."""

    code = "transfer_pointless"
    message = _("工单已在该处理组")


class MergeRefused(DomainError):
    """Open tickets of one customer are merged, into one that is open."""

    code = "merge_refused"
    message = _("只能合并同一客户未关闭的工单，且目标工单须在处理中")


class LinkRefused(DomainError):
    """Two different tickets of one customer are linked."""

    code = "link_refused"
    message = _("只能关联同一客户的另一张工单")


class SplitRefused(DomainError):
    """A customer's later message begins the new ticket."""

    code = "split_refused"
    message = _("请选择客户的一条后续留言作为新工单的开头")


class IncidentOver(DomainError):
    """An incident that is over collects no more tickets."""

    code = "incident_over"
    message = _("该事件已恢复，不能再关联工单")


class TagUnknown(DomainError):
    """Tags come from the catalogue."""

    code = "tag_unknown"
    message = _("标签不存在或已停用")
    status = 400


class NothingToUndo(DomainError):
    """What was done last is too long ago, sent, or taken back already."""

    code = "nothing_to_undo"
    message = _("没有可撤销的操作（仅限最近 10 分钟内未发送的操作）")


class ChangedSince(DomainError):
    """Someone changed it again: undoing would take back their change."""

    code = "changed_since"
    message = _("之后已有新的变更，未撤销")


class RequirementMoveRefused(DomainError):
    """A requirement goes its track step by step."""

    code = "requirement_move_refused"
    message = _("需求当前阶段不能这样变更，请刷新后重试")


class TooManyTickets(DomainError):
    """One request acts on at most a hundred tickets."""

    code = "too_many_tickets"
    message = _("一次最多处理 100 张工单")
    status = 400


class OpenClocksUnconfirmed(DomainError):
    """Customers wait for an answer in some of the tickets: their number has to be confirmed."""

    code = "open_clocks_unconfirmed"

    def __init__(self, count: int) -> None:
        self.count = count
        sentence = ngettext(
            "%(count)d 张工单的客户仍在等待回复，请确认后再标记为已解决",
            "%(count)d 张工单的客户仍在等待回复，请确认后再标记为已解决",
            count,
        )
        super().__init__(sentence % {"count": count}, field="confirmed_clocks")


class AnsweredMeanwhile(DomainError):
    """Somebody wrote while the reply was being written; it is shown, and sending again sends."""

    code = "answered_meanwhile"
    message = _("您写回复期间有新消息，请看过后再发送")

    def __init__(self, messages: Sequence[Any]) -> None:
        super().__init__(field="body")
        self.messages = messages


class UrgeTooEarly(DomainError):
    """A ticket is urged once per target period since its submission or the last urge."""

    code = "urge_too_early"


class WatcherUnfit(DomainError):
    """Only authorised people of the ticket's own customer follow it."""

    code = "watcher_unfit"
    message = _("只能添加本账号的授权员工")
    status = 400


class RecallRefused(DomainError):
    """People take back what they wrote themselves."""

    code = "recall_refused"
    message = _("只能撤回自己发送的消息")


class RecallTooLate(DomainError):
    """A message can be taken back for two minutes."""

    code = "recall_too_late"
    message = _("已超过 2 分钟，不能撤回")


class TooManyFiles(DomainError):
    """A message carries a few files only, and a person keeps a few unsent ones."""

    code = "too_many_files"
    status = 400


class TicketNotChosen(DomainError):
    """Handing over from the wall needs a ticket."""

    code = "ticket_not_chosen"
    message = _("请先选择一张工单")
    status = 400


class TooManyViews(DomainError):
    """A person keeps a number of views that can be looked through."""

    code = "too_many_views"
    message = _("最多保存 20 个视图，请先删除不用的视图")


class ViewNotYours(DomainError):
    """A view is deleted by who made it."""

    code = "view_not_yours"
    message = _("只能删除自己保存的视图")
    status = 403
