"""Forms of service orders."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import Tenant
from servicedesk.models.deliverables import SUGGESTION_MAX
from servicedesk.states import STAR_WORDS, DeliverableKind, DeliveryWay, Scenario
from supportplans.models import ServiceItem

# What staff files here; other items have forms of their own.
FILED_ITEMS = ("availability_check", "monitoring_optimization")
TENANTS_OFFERED = 500


class FilingForm(forms.Form):
    """File a service order for a customer."""

    tenant = forms.ModelChoiceField(
        label=_("客户"), queryset=Tenant.objects.none(), empty_label=_("请选择客户")
    )
    item = forms.ModelChoiceField(
        label=_("服务项目"),
        queryset=ServiceItem.objects.none(),
        to_field_name="code",
        empty_label=None,
    )
    scenario = forms.ChoiceField(label=_("提供场景"), choices=Scenario.choices)
    contact = forms.CharField(label=_("对接人名称"), max_length=100)
    delivery = forms.ChoiceField(label=_("提供方式"), choices=DeliveryWay.choices)
    scope = forms.CharField(
        label=_("检查范围"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("产品线、资源池或实例，如“华东 1 弹性云主机 14 台、云数据库 2 套”"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenants = Tenant.objects.filter(is_active=True).order_by("name")
        items = ServiceItem.objects.filter(code__in=FILED_ITEMS)
        self.fields["tenant"].queryset = tenants  # type: ignore[attr-defined]
        self.fields["item"].queryset = items  # type: ignore[attr-defined]


class UploadForm(forms.Form):
    """Add a file to a service order."""

    kind = forms.TypedChoiceField(
        label=_("类型"), choices=DeliverableKind.choices, coerce=DeliverableKind
    )
    file = forms.FileField(label=_("文件"), help_text=_("PDF、Office、图片或压缩包，不超过 20 MB"))


class ReasonForm(forms.Form):
    """Why an application is refused or an order stopped."""

    reason = forms.CharField(
        label=_("原因"),
        max_length=280,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("客户会看到原因"),
        error_messages={"required": _("请填写原因")},
    )


class StarsInput(forms.RadioSelect):
    """One to five stars as radio buttons, highest first, so that plain CSS can fill them."""

    template_name = "components/stars.html"

    @override
    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = str(value or "")
        context["stars"] = [
            {"value": number, "word": STAR_WORDS[number], "checked": chosen == str(number)}
            for number in sorted(STAR_WORDS, reverse=True)
        ]
        context["word"] = STAR_WORDS.get(int(chosen), "") if chosen.isdigit() else ""
        return context


STARS = [(number, word) for number, word in STAR_WORDS.items()]


class RatingForm(forms.Form):
    """Rate a completed service order."""

    speed = forms.TypedChoiceField(
        label=_("响应速度"), choices=STARS, coerce=int, widget=StarsInput
    )
    quality = forms.TypedChoiceField(
        label=_("交付物质量"), choices=STARS, coerce=int, widget=StarsInput
    )
    suggestion = forms.CharField(
        label=_("建议与反馈"),
        max_length=SUGGESTION_MAX,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
