"""Forms of plans. Rules are the services'; forms only read what was sent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core import clock
from core.clock import local
from supportplans.states import FIGURE_BOUNDS, PlanCode

PAID_PLANS = [(code.value, code.label) for code in PlanCode if code != PlanCode.STANDARD]


class TrialForm(forms.Form):
    """A customer asks to try a plan."""

    plan = forms.ChoiceField(label=_("试用级别"), choices=PAID_PLANS, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("申请说明（选填）"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class TrialDecisionForm(forms.Form):
    """An account manager grants or refuses; days and answer are checked by the service."""

    days = forms.IntegerField(
        label=_("试用天数"),
        required=False,
        error_messages={"invalid": _("试用天数须为 1 至 365 的整数")},
    )
    answer = forms.CharField(label=_("驳回原因"), required=False, max_length=500)


class LinkForm(forms.Form):
    """A principal names another account; whether it exists is nobody's business here."""

    account_id = forms.UUIDField(
        label=_("对方账号 ID"),
        help_text=_("对方在“关联账号”页面可查看并复制自己的账号 ID"),
        error_messages={"invalid": _("请输入完整的账号 ID，共 36 个字符")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    name = forms.CharField(label=_("对方账号名称"), max_length=100)


class VersionForm(forms.ModelForm[Any]):
    """A new version of a rule, in the back office. It takes effect now or later, never in the past."""

    def clean_effective_from(self) -> datetime:
        """Refuse the past: clocks have run and prices have been paid by what held then."""
        since: datetime = self.cleaned_data["effective_from"]
        if since < (at := clock.now()):
            raise forms.ValidationError(
                gettext("生效时间不能早于现在（%(now)s）")
                % {"now": f"{local(at):%Y-%m-%d %H:%M:%S}"}
            )
        return since


class FigureForm(VersionForm):
    """A new figure of a rule. Where not every number makes sense, its bounds are checked."""

    @override
    def clean(self) -> dict[str, Any]:
        """Refuse what lies outside the figure's bounds."""
        data = super().clean() or self.cleaned_data
        bounds, value = FIGURE_BOUNDS.get(data.get("code", "")), data.get("value")
        if bounds and isinstance(value, Decimal):
            least, most = bounds
            if not least <= value <= most or value % 1:
                self.add_error(
                    "value",
                    gettext("须为 %(least)d 至 %(most)d 的整数") % {"least": least, "most": most},
                )
        return data
