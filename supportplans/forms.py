"""Forms of plans. Rules are the services'; forms only read what was sent."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from supportplans.states import PlanCode

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
