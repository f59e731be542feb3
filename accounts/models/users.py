"""People: every sign-in, and the published card of those who work for the provider."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class UserManager(BaseUserManager["User"]):
    """Users are told apart by their email address."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make a user. Raises ValueError without an address."""
        if not email:
            raise ValueError("a user needs an email address")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make a user with all permissions of the back office."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. What they may do follows from their memberships or their staff roles."""

    email = models.EmailField(_("邮箱"), unique=True)
    name = models.CharField(_("姓名"), max_length=100)
    language = models.CharField(_("语言"), max_length=10, blank=True, default="")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = _("用户")
        verbose_name_plural = _("用户")

    @override
    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """Return the name shown to others."""
        return str(self)

    def get_short_name(self) -> str:
        """Return the name shown to others."""
        return str(self)


def display_name(user: User) -> str:
    """Return the name that allauth shows."""
    return str(user)


class StaffRole(models.TextChoices):
    """What a person of staff does (domain.md §6)."""

    CUSTOMER_SERVICE = "customer_service", _("客服")
    VIP_AGENT = "vip_agent", _("VIP 专席")
    FILING_STEWARD = "filing_steward", _("备案管家")
    DUTY_MANAGER = "duty_manager", _("值班经理")
    ENGINEER = "engineer", _("工程师")
    TEAM_LEAD = "team_lead", _("组长")
    ACCOUNT_MANAGER = "account_manager", _("客户经理")
    FINANCE = "finance", _("财务")
    OPERATOR = "operator", _("运营")


class EngineerTier(models.TextChoices):
    """Who handles a ticket follows from the plan (domain.md §1)."""

    TECHNICAL = "technical", _("技术工程师")
    ADVANCED = "advanced", _("高级技术工程师")
    SENIOR = "senior", _("资深技术工程师")
    EXPERT = "expert", _("技术专家")


class StaffMember(models.Model):
    """The published card of a person of staff. Customers may read every column: nothing private stands here."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="staff_member")
    display_name = models.CharField(_("对外称呼"), max_length=50)
    title = models.CharField(_("职务"), max_length=50, blank=True, default="")
    phone = models.CharField(_("电话"), max_length=30, blank=True, default="")
    email = models.EmailField(_("邮箱"), blank=True, default="")
    roles = ArrayField(models.CharField(max_length=20, choices=StaffRole.choices), default=list)
    tier = models.CharField(
        _("级别"), max_length=20, choices=EngineerTier.choices, blank=True, default=""
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("员工")
        verbose_name_plural = _("员工")

    @override
    def __str__(self) -> str:
        return self.display_name
