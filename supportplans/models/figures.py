"""Figures of the rules that operators can change, each with its effective date (domain.md, head)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.models import Attributed, TenantOwned, Timestamped
from supportplans.models.plans import Plan
from supportplans.states import TRIAL_MOVES, FigureCode, TrialState


class Figure(models.Model):
    """One figure from an instant on. The unit is the code's."""

    code = models.CharField(_("规则"), max_length=30, choices=FigureCode.choices)
    value = models.DecimalField(_("数值"), max_digits=12, decimal_places=2)
    effective_from = models.DateTimeField(_("生效时间"))
    note = models.CharField(_("备注"), max_length=100, blank=True, default="")

    class Meta:
        verbose_name = _("规则数值")
        verbose_name_plural = _("规则数值")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["code", "effective_from"], name="figure_once_per_instant"
            ),
            models.CheckConstraint(condition=models.Q(value__gte=0), name="figure_not_negative"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.get_code_display()} {self.value}"


class TrialApplication(TenantOwned, Timestamped, Attributed):
    """A customer asks to try a plan; an account manager decides. Granted once per account (domain.md §2)."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(_("申请说明"), max_length=500, blank=True, default="")
    state = models.CharField(
        _("状态"), max_length=10, choices=TrialState.choices, default=TrialState.REQUESTED
    )
    days = models.PositiveSmallIntegerField(_("试用天数"), null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=100, blank=True, default="")
    answer = models.CharField(_("处理意见"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("试用申请")
        verbose_name_plural = _("试用申请")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant"],
                condition=models.Q(state=TrialState.REQUESTED),
                name="trial_one_open_application",
            ),
            models.UniqueConstraint(
                fields=["tenant"],
                condition=models.Q(state=TrialState.GRANTED),
                name="trial_granted_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(state=TrialState.REQUESTED),
                name="trial_to_decide",
            )
        ]

    @override
    def __str__(self) -> str:
        return f"{self.tenant_id} {self.state}"

    def can_become(self, state: str) -> bool:
        """Return True if the transition table allows the move."""
        return state in TRIAL_MOVES[self.state]
