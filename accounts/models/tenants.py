"""Customer accounts and who belongs to them (domain.md §6)."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models.users import StaffMember, User
from core.models import Attributed, TenantOwned, Timestamped


class Tenant(Timestamped):
    """One customer account. A plan belongs to exactly one of these."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("客户名称"), max_length=100)
    contact_name = models.CharField(_("联系人"), max_length=100, blank=True, default="")
    contact_phone = models.CharField(_("联系电话"), max_length=30, blank=True, default="")
    account_manager = models.ForeignKey(
        StaffMember, null=True, blank=True, on_delete=models.PROTECT, related_name="managed_tenants"
    )
    service_manager = models.ForeignKey(
        StaffMember, null=True, blank=True, on_delete=models.PROTECT, related_name="served_tenants"
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("客户")
        verbose_name_plural = _("客户")

    @override
    def __str__(self) -> str:
        return self.name


class TenantRole(models.TextChoices):
    """Members work tickets and service orders, administrators also manage people, the owner also buys."""

    MEMBER = "member", _("成员")
    ADMINISTRATOR = "administrator", _("管理员")
    OWNER = "owner", _("所有者")

    @property
    def rank(self) -> int:
        """Return how much the role may do: each higher one may do all that the lower ones may."""
        return list(TenantRole).index(self)


class Membership(TenantOwned, Timestamped):
    """A person's place in a tenant: an authorised employee 授权员工."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(
        _("角色"), max_length=20, choices=TenantRole.choices, default=TenantRole.MEMBER
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("授权员工")
        verbose_name_plural = _("授权员工")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "user"], name="membership_once_per_tenant"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class Invitation(TenantOwned, Timestamped, Attributed):
    """An offer by mail to join a tenant. Only the token's digest is kept."""

    email = models.EmailField(_("邮箱"))
    role = models.CharField(
        _("角色"), max_length=20, choices=TenantRole.choices, default=TenantRole.MEMBER
    )
    token_digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("邀请")
        verbose_name_plural = _("邀请")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_one_open_per_address",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["token_digest"], name="invitation_by_token")]

    @override
    def __str__(self) -> str:
        return self.email
