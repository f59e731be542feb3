"""The audit trail: who did what, when, from where, written by services, never changed; and what sweeps could not do."""

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


class SweepFailure(models.Model):
    """A row that a sweep could not do what is due with. It is tried again, ever more rarely; then the entry goes.

    Operators see it. It belongs to no tenant: a sweep goes over all of them.
    """

    task = models.CharField(_("任务"), max_length=60)
    key = models.BigIntegerField()
    # What people call the row: an order's number.
    label = models.CharField(_("对象"), max_length=64)
    error = models.CharField(_("错误"), max_length=500)
    times = models.PositiveIntegerField(_("失败次数"), default=1)
    failed_at = models.DateTimeField(_("最近一次"))
    next_try_at = models.DateTimeField(_("下次重试"))

    class Meta:
        verbose_name = _("任务异常")
        verbose_name_plural = _("任务异常")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "key"], name="sweep_failure_once"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.task} {self.label}"
