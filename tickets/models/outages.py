"""When the timers stood still: what the web processes saw while no worker swept (domain.md §5)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override


class SweepOutage(models.Model):
    """A time in which stages were late by more than the limit. Written by the web processes, read by operators."""

    began_at = models.DateTimeField(_("最早漏报时刻"))
    noticed_at = models.DateTimeField(_("发现时刻"))
    ended_at = models.DateTimeField(_("恢复时刻"), null=True, blank=True)
    worst_seconds = models.PositiveIntegerField(_("最长延迟（秒）"))

    class Meta:
        verbose_name = _("计时延迟")
        verbose_name_plural = _("计时延迟")
        constraints: ClassVar = [
            # Many web processes watch; an outage is one row, whoever notices it first.
            models.UniqueConstraint(
                fields=["ended_at"], nulls_distinct=False, name="sweep_outage_one_open"
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M:%S} {self.worst_seconds} s"
