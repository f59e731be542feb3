"""Which months of revenue are asked for."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from billing.selectors.revenue import MOST_MONTHS
from core.exports import ExportFormat

MONTH = "%Y-%m"
SHOWN_MONTHS = 12
_YEAR_MONTHS = 12
# What people can mean by a year of four digits.
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 1)


def months_back(month: date, count: int) -> date:
    """Return the first day of the month ``count`` months before ``month``."""
    years, rest = divmod(month.year * _YEAR_MONTHS + month.month - 1 - count, _YEAR_MONTHS)
    return date(years, rest + 1, 1)


def _month(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        input_formats=[MONTH],
        widget=forms.DateInput(attrs={"type": "month"}, format=MONTH),
        validators=[
            MinValueValidator(_EARLIEST, _("请按 2026-11 的格式填写月份")),
            MaxValueValidator(_LATEST, _("请按 2026-11 的格式填写月份")),
        ],
        error_messages={"invalid": _("请按 2026-11 的格式填写月份")},
    )


class RevenueFilter(forms.Form):
    """A range of months; by itself the last twelve. One that cannot be read is said and not applied."""

    first = _month(_("起始月份"))
    last = _month(_("截止月份"))
    format = forms.ChoiceField(
        choices=ExportFormat.choices, required=False, widget=forms.HiddenInput
    )

    @override
    def clean(self) -> dict[str, Any]:
        """Refuse a range that runs backwards or is too long."""
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last:
            if last < first:
                self.add_error("last", _("截止月份不能早于起始月份"))
            elif first <= months_back(last, MOST_MONTHS):
                self.add_error("last", _("最多查询 %(most)s 个月") % {"most": MOST_MONTHS})
        return data

    def months(self, present: date) -> tuple[date, date]:
        """Return the first and the last month that are asked for; what is left open follows from the other one."""
        data = self.cleaned_data if self.is_valid() else {}
        first, last = data.get("first"), data.get("last")
        if last is None:
            last = min(present, months_back(first, 1 - SHOWN_MONTHS)) if first else present
            last = max(last, first or last)
        return first or months_back(last, SHOWN_MONTHS - 1), last

    @property
    def is_filtered(self) -> bool:
        """Return True if a month was chosen."""
        return bool(self.data.get("first") or self.data.get("last"))
