"""Django's back office under the portal's own name, without what the portal manages elsewhere."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from config.field_names import name_fields


class BackOfficeConfig(AdminConfig):
    """Names the site in the reader's language."""

    @override
    def ready(self) -> None:
        super().ready()
        from allauth.account.models import EmailAddress  # noqa: PLC0415  (apps must be loaded)
        from django.contrib.auth.models import Group  # noqa: PLC0415

        admin.site.site_title = admin.site.site_header = _("数据管理")
        admin.site.index_title = _("全部数据")
        admin.site.site_url = reverse_lazy("accounts:operations")  # type: ignore[assignment]
        # Rights come from staff's roles, and addresses are confirmed by their owners.
        admin.site.unregister([Group, EmailAddress])
        name_fields(admin.site)
