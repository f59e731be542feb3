"""The audit trail: who did what, when, from where. Written by services, never changed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models.tenants import Tenant
from core.models import Attributed, Timestamped


class AuditEntry(Timestamped, Attributed):
    """One action. ``tenant`` is empty for what concerns the provider alone. Customers can add
    entries, not read them.
    """

    tenant = models.ForeignKey(
        Tenant, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=120, blank=True, default="")
    details = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        verbose_name = _("审计记录")
        verbose_name_plural = _("审计记录")
        indexes: ClassVar = [models.Index(fields=["tenant", "-created_at"], name="audit_by_tenant")]

    @override
    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
