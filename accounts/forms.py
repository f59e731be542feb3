"""Forms of sign-up, people and operations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.access import Identity
from accounts.models import User
from accounts.models.tenants import TenantRole
from accounts.services.tenants import tenant_create
from core import clock

LONGEST_JUMP_HOURS = 24 * 366


class SignupExtras(forms.Form):
    """What sign-up asks beside address and password: the person and the customer account they open.

    Someone who was invited leaves the account's name empty and joins the one that invited them.
    """

    tenant_name = forms.CharField(
        label=_("客户名称"),
        max_length=100,
        required=False,
        help_text=_("公司或个人名称，将显示在工单和发票上；受邀加入的同事可留空"),
    )
    name = forms.CharField(label=_("您的姓名"), max_length=100)

    field_order = ("tenant_name", "name", "email", "password1")

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth with the new user, in the request's transaction."""
        user.name = self.cleaned_data["name"].strip()
        user.save(update_fields=["name"])
        if self.cleaned_data["tenant_name"].strip():
            tenant_create(name=self.cleaned_data["tenant_name"].strip(), owner=user, at=clock.now())

    @override
    def clean(self) -> dict[str, Any]:
        """Ask for the account's name unless the sign-up continues an invitation."""
        cleaned = super().clean() or {}
        joins = "/accounts/invitations/" in self.data.get("next", "")
        if (
            not joins
            and not cleaned.get("tenant_name", "").strip()
            and "tenant_name" not in self.errors
        ):
            self.add_error("tenant_name", _("请填写客户名称"))
        return cleaned


class InvitationForm(forms.Form):
    """Invite a person."""

    email = forms.EmailField(label=_("邮箱"), max_length=254)
    role = forms.TypedChoiceField(label=_("角色"), choices=TenantRole.choices, coerce=TenantRole)

    def __init__(self, *args: Any, identity: Identity, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not identity.has_tenant_role(TenantRole.OWNER):
            field = self.fields["role"]
            field.choices = [c for c in TenantRole.choices if c[0] != TenantRole.OWNER]  # type: ignore[attr-defined]


class RoleForm(forms.Form):
    """Another role for a person."""

    role = forms.ChoiceField(choices=TenantRole.choices)


class ClockForm(forms.Form):
    """Move the demo's clock: by hours, or to an instant in Shanghai time."""

    hours = forms.IntegerField(
        label=_("前移小时数"), min_value=1, max_value=LONGEST_JUMP_HOURS, required=False
    )
    until = forms.DateTimeField(
        label=_("或前移到"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S"],
    )

    @override
    def clean(self) -> dict[str, Any]:
        """Take exactly one of the two, and only forward."""
        cleaned = super().clean() or {}
        until: datetime | None = cleaned.get("until")
        if self.errors:
            return cleaned
        if bool(cleaned.get("hours")) == bool(until):
            raise forms.ValidationError(_("请填写小时数或目标时间中的一项"))
        if until is not None and until <= clock.now():
            self.add_error("until", _("时钟只能前移"))
        return cleaned
