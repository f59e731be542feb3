"""What the rules of accounts refuse."""

from django.utils.translation import gettext_lazy as _

from core.exceptions import DomainError


class LastOwnerStays(DomainError):
    """At least one owner remains (domain.md §6)."""

    code = "last_owner_stays"
    message = _("至少保留一位所有者，请先把其他人设为所有者")


class RoleTooHigh(DomainError):
    """Only an owner makes or changes owners."""

    code = "role_too_high"
    message = _("只有所有者可以设置或变更所有者")
    status = 403


class InvitationNotUsable(DomainError):
    """The invitation is unknown, used, revoked, out of date or for another address."""

    code = "invitation_not_usable"
    message = _("邀请链接无效或已过期，请联系邀请您的管理员重新发送")
    status = 404


class AlreadyMember(DomainError):
    """The person belongs to the tenant already."""

    code = "already_member"
    message = _("该邮箱已是授权员工")
