"""Permissions of the back office follow from staff roles."""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models
from typing_extensions import override

from accounts.models import StaffMember
from accounts.models.users import StaffRole


class StaffRoleBackend(BaseBackend):
    """Operators may use every page of the back office; other staff has its own desks instead."""

    @override
    def has_perm(
        self, user_obj: AbstractBaseUser | AnonymousUser, perm: str, obj: models.Model | None = None
    ) -> bool:
        """Return True for an active operator."""
        return self._is_operator(user_obj)

    def has_module_perms(self, user_obj: AbstractBaseUser | AnonymousUser, app_label: str) -> bool:
        """Return True for an active operator."""
        return self._is_operator(user_obj)

    @staticmethod
    def _is_operator(user: AbstractBaseUser | AnonymousUser) -> bool:
        if not user.is_active or not getattr(user, "is_staff", False):
            return False
        # One question per request and user: the back office asks for many permissions.
        known: bool | None = getattr(user, "_operator", None)
        if known is None:
            known = StaffMember.objects.filter(
                user_id=user.pk, is_active=True, roles__contains=[StaffRole.OPERATOR]
            ).exists()
            setattr(user, "_operator", known)  # noqa: B010  (a memo on a model that does not know it)
        return known
