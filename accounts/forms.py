"""Forms of sign-up and people."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class SignupExtras(forms.Form):
    """What sign-up asks beside address and password: the person and the customer account they open."""

    name = forms.CharField(label=_("您的姓名"), max_length=100)
    tenant_name = forms.CharField(label=_("客户名称"), max_length=100)

    field_order = ("tenant_name", "name", "email", "password1")

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth with the saved user, in its transaction."""
