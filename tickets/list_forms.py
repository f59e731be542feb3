"""The filters of a customer's list of tickets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.exports import ExportFormat
from supportplans.models import ProductLine
from supportplans.states import Severity
from tickets.selectors.watchers import people_of


class TicketFilter(forms.Form):
    """Whose turn, words, person, product, severity, days. What cannot be read filters nothing."""

    turn = forms.CharField(required=False, widget=forms.HiddenInput)
    q = forms.CharField(label=_("搜索工单"), required=False, max_length=100)
    person = forms.TypedChoiceField(label=_("人员"), required=False, coerce=int, empty_value=None)
    product = forms.TypedChoiceField(label=_("产品"), required=False, coerce=int, empty_value=None)
    severity = forms.ChoiceField(
        label=_("级别"), required=False, choices=[("", _("全部")), *Severity.choices]
    )
    since = forms.DateField(
        label=_("提交日期从"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("至"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    format = forms.ChoiceField(required=False, choices=ExportFormat.choices)

    def __init__(self, *args: Any, tenant_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        people: Any = self.fields["person"]
        people.choices = [
            ("", _("全部")),
            *((place.user_id, str(place.user)) for place in people_of(tenant_id)),
        ]
        products: Any = self.fields["product"]
        products.choices = [
            ("", _("全部")),
            *((line.pk, str(line)) for line in ProductLine.objects.order_by("position")),
        ]

    def chosen(self) -> dict[str, Any]:
        """Return the arguments of ``ticket_list_for``."""
        self.is_valid()
        data = self.cleaned_data
        return {
            "turn": data.get("turn") or "",
            "text": data.get("q") or "",
            "person": data.get("person"),
            "product_line": data.get("product"),
            "severity": data.get("severity") or "",
            "since": data.get("since"),
            "until": data.get("until"),
        }

    @property
    def is_filtered(self) -> bool:
        """Return True if anything but the tab narrows the list."""
        return any(value for name, value in self.chosen().items() if name != "turn")

    @property
    def file_format(self) -> ExportFormat:
        """Return the kind of file that is asked for."""
        self.is_valid()
        return ExportFormat(self.cleaned_data.get("format") or ExportFormat.CSV)
