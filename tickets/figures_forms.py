"""Which clocks the figures are about."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.clock import SHANGHAI, local
from core.exports import ExportFormat
from supportplans.states import PlanCode, Severity
from tickets.states import ClockKind

MONTH = "%Y-%m"
SHOWN_MONTHS, MOST_MONTHS = 6, 12
_YEAR = 12
# What people can mean by a year of four digits.
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 11, 1)
_UNREADABLE = _("请按 2026-11 的格式填写月份")


def months_from(month: date, count: int) -> date:
    """Return the first day of the month ``count`` months after ``month``, before it for a negative count."""
    years, rest = divmod(month.year * _YEAR + month.month - 1 + count, _YEAR)
    return date(years, rest + 1, 1)


def instant_of(month: date) -> datetime:
    """Return the first instant of a month in Shanghai."""
    return datetime(month.year, month.month, 1, tzinfo=SHANGHAI)


def _month(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=[MONTH],
        widget=forms.DateInput(attrs={"type": "month"}, format=MONTH),
        validators=[
            MinValueValidator(_EARLIEST, _UNREADABLE),
            MaxValueValidator(_LATEST, _UNREADABLE),
        ],
        error_messages={"invalid": _UNREADABLE},
    )


class FiguresFilter(forms.Form):
    """A range of months, by itself the last six; a plan, a severity, a kind of clock. What cannot be read is said."""

    first = _month(_("起始月份"))
    last = _month(_("截止月份"))
    plan = forms.ChoiceField(
        label=_("支持计划"), required=False, choices=[("", _("全部级别")), *PlanCode.choices]
    )
    severity = forms.ChoiceField(
        label=_("级别"), required=False, choices=[("", _("紧急与一般")), *Severity.choices]
    )
    kind = forms.ChoiceField(
        label=_("响应"), required=False, choices=[("", _("首次与后续响应")), *ClockKind.choices]
    )
    format = forms.ChoiceField(
        choices=ExportFormat.choices, required=False, widget=forms.HiddenInput
    )

    @override
    def clean(self) -> dict[str, Any]:
        """Refuse a range that runs backwards or is too long."""
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last and last < first:
            self.add_error("last", _("截止月份不能早于起始月份"))
        elif first and last and first <= months_from(last, -MOST_MONTHS):
            self.add_error("last", _("最多查询 %(most)s 个月") % {"most": MOST_MONTHS})
        return data

    def months(self, at: datetime) -> tuple[date, date]:
        """Return the first and the last month that are asked for; what is left open follows from the other one."""
        data = self.cleaned_data if self.is_valid() else {}
        first, last = data.get("first"), data.get("last")
        present = local(at).date().replace(day=1)
        if last is None:
            last = (
                max(first, min(present, months_from(first, SHOWN_MONTHS - 1))) if first else present
            )
        return first or months_from(last, 1 - SHOWN_MONTHS), last

    @property
    def narrowed(self) -> dict[str, str]:
        """Return plan, severity and kind, empty where all are meant."""
        data = self.cleaned_data if self.is_valid() else {}
        return {name: str(data.get(name) or "") for name in ("plan", "severity", "kind")}

    @property
    def is_filtered(self) -> bool:
        """Return True if something was chosen."""
        return any(self.data.get(name) for name in ("first", "last", "plan", "severity", "kind"))
