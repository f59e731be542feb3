"""Response clocks as rows: found by what is due next, rebuilt from their events (domain.md §5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import StaffMember
from core.models import Attributed, TenantOwned, Timestamped
from supportplans.states import PlanCode, Severity
from tickets import sla
from tickets.models.tickets import Ticket
from tickets.states import ClockEventKind, ClockKind, ClockOutcome


class Clock(TenantOwned):
    """One promise of an answer: the first response, or the answer to one silence.

    ``plan_code`` and ``severity`` say where the target in force comes from. ``stage_percents`` are those that held
    when the clock started, ``stage_instants`` where they lie now; ``stage_passed`` is the highest one that is recorded.
    ``next_stage_at`` is the only thing that the sweep looks for. It is empty when nothing is left to record; a clock
    that was stopped after a stage's instant keeps it until the sweep has written that stage down.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="clocks")
    kind = models.CharField(max_length=10, choices=ClockKind.choices)
    instance = models.PositiveIntegerField(default=1)
    plan_code = models.CharField(max_length=20, choices=PlanCode.choices)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    # Fixed when the clock starts: trials show a target and promise none (guide 1.5).
    promised = models.BooleanField()
    started_at = models.DateTimeField()
    target_minutes = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField()
    retargeted_at = models.DateTimeField(null=True, blank=True)
    stage_percents: ArrayField[list[int], list[int]] = ArrayField(
        models.PositiveSmallIntegerField()
    )
    stage_instants: ArrayField[list[datetime], list[datetime]] = ArrayField(models.DateTimeField())
    stage_passed = models.PositiveSmallIntegerField(default=0)
    next_stage_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(
        max_length=10, choices=ClockOutcome.choices, blank=True, default=ClockOutcome.RUNNING
    )
    answered_by = models.ForeignKey(
        StaffMember,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        verbose_name = _("响应时钟")
        verbose_name_plural = _("响应时钟")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "ticket", "kind", "instance"], name="clock_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "ticket"], condition=Q(stopped_at=None), name="clock_one_running"
            ),
            models.CheckConstraint(
                condition=Q(due_at__gt=F("started_at")), name="clock_due_after_start"
            ),
            models.CheckConstraint(
                condition=Q(
                    stage_percents__len__gt=0, stage_percents__len=F("stage_instants__len")
                ),
                name="clock_every_stage_has_its_instant",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_stage_at"],
                condition=Q(next_stage_at__isnull=False),
                name="clock_stage_due",
            ),
            models.Index(fields=["tenant", "started_at"], name="clock_by_tenant"),
            # Today's compliance, and figures over months.
            models.Index(fields=["started_at"], name="clock_by_time"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.instance} {self.due_at:%Y-%m-%d %H:%M:%S}"

    def chip_state(self, at: datetime) -> sla.ChipState:
        """Return how the clock looks at ``at``."""
        return sla.chip_state(
            start=self.started_at, due=self.due_at, at=at, stopped=self.stopped_at
        )

    def pending_stages(self, at: datetime) -> list[tuple[int, datetime]]:
        """Return ``(percent, instant)`` of the stages passed at ``at`` and not yet recorded."""
        return sla.stages_passed(
            self.stage_percents,
            self.stage_instants,
            passed=self.stage_passed,
            until=min(at, self.stopped_at) if self.stopped_at else at,
        )

    def next_stage(self) -> datetime | None:
        """Return when the sweep has to look at this clock again, or None."""
        return sla.next_stage(
            self.stage_percents,
            self.stage_instants,
            passed=self.stage_passed,
            stopped=self.stopped_at,
        )


class ClockStage(TenantOwned):
    """A stage that a clock passed: when it was due, and when that was noticed. Append-only, staff only.

    An answer that was received before a stage and written after its notice voids the stage: it counts only while it is
    due before the clock stopped.
    """

    clock = models.ForeignKey(
        Clock, on_delete=models.PROTECT, related_name="stages", db_index=False
    )
    percent = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField()
    noticed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("时限阶段")
        verbose_name_plural = _("时限阶段")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "clock", "percent"], name="stage_once"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.percent} %"


class ClockEvent(TenantOwned, Timestamped, Attributed):
    """One line of a clock's log: append-only; with the stages enough to rebuild the clock (see ``clock_log``)."""

    clock = models.ForeignKey(Clock, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=12, choices=ClockEventKind.choices)
    due_at = models.DateTimeField()
    target_minutes = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=40, blank=True, default="")
    details: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("时钟记录")
        verbose_name_plural = _("时钟记录")
        ordering: ClassVar = ["id"]

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.created_at:%Y-%m-%d %H:%M:%S}"
