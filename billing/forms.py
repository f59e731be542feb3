"""Forms of the order flow. Prices and rules are the services'; forms only read what was sent."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.quotes import TERM_YEARS
from billing.states import OrderState, PaymentState
from supportplans.states import PlanCode

PLANS = [(code.value, code.label) for code in PlanCode if code != PlanCode.STANDARD]


class OrderForm(forms.Form):
    """What the order page sends: level, years, the accepted version, the amount that was shown, the page's own key."""

    plan = forms.ChoiceField(label=_("支持计划"), choices=PLANS)
    years = forms.TypedChoiceField(
        label=_("购买时长"), choices=[(str(years), str(years)) for years in TERM_YEARS], coerce=int
    )
    agreement = forms.CharField(required=False, max_length=20)
    shown_amount = forms.DecimalField(required=False, max_digits=12, decimal_places=2)
    key = forms.UUIDField(error_messages={"invalid": _("页面已失效，请刷新后重试")})


class ChoiceForm(forms.Form):
    """The query string of the order page; what is missing or wrong falls back to the first choice."""

    plan = forms.ChoiceField(choices=PLANS, required=False)
    years = forms.TypedChoiceField(
        choices=[(str(years), str(years)) for years in TERM_YEARS], coerce=int, required=False
    )

    def chosen(self) -> tuple[str, int]:
        """Return plan code and years."""
        self.is_valid()
        return self.cleaned_data.get("plan") or PlanCode.LITE.value, self.cleaned_data.get(
            "years"
        ) or TERM_YEARS[0]


class OrderFilter(forms.Form):
    """The order list's filter."""

    state = forms.ChoiceField(
        label=_("订单状态"), choices=[("", _("全部状态")), *OrderState.choices], required=False
    )


class PaymentFilter(forms.Form):
    """Finance's filter and the key of the next page."""

    state = forms.ChoiceField(
        label=_("支付状态"), choices=[("", _("全部状态")), *PaymentState.choices], required=False
    )
    after = forms.IntegerField(required=False, min_value=1)


class TopUpForm(forms.Form):
    """A transfer that finance has received."""

    tenant = forms.IntegerField(label=_("客户"), min_value=1, widget=forms.Select)
    amount = forms.CharField(label=_("金额（元）"), max_length=16)
    note = forms.CharField(label=_("银行流水号"), max_length=100)

    def __init__(self, *args: object, tenants: list[tuple[int, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        widget = self.fields["tenant"].widget
        assert isinstance(widget, forms.Select)
        widget.choices = [("", _("请选择客户")), *tenants]

    def clean_amount(self) -> Decimal:
        """Return the amount in CNY; thousands separators are allowed."""
        try:
            return Decimal(self.cleaned_data["amount"].replace(",", "").replace("，", ""))
        except InvalidOperation:
            raise forms.ValidationError(_("请输入金额，例如 6000.00")) from None


class ChangeForm(forms.Form):
    """What the change page sends: the level, the accepted version, the amount that was shown, the page's own key."""

    plan = forms.ChoiceField(
        label=_("变更后级别"),
        choices=PLANS,
        error_messages={
            "required": _("请选择变更后的级别"),
            "invalid_choice": _("请选择变更后的级别"),
        },
    )
    agreement = forms.CharField(required=False, max_length=20)
    shown_amount = forms.DecimalField(required=False, max_digits=12, decimal_places=2)
    to_balance = forms.BooleanField(required=False)
    key = forms.UUIDField(error_messages={"invalid": _("页面已失效，请刷新后重试")})


class RenewalForm(forms.Form):
    """What the renewal page sends."""

    years = forms.TypedChoiceField(
        label=_("续订时长"), choices=[(str(years), str(years)) for years in TERM_YEARS], coerce=int
    )
    agreement = forms.CharField(required=False, max_length=20)
    shown_amount = forms.DecimalField(required=False, max_digits=12, decimal_places=2)
    key = forms.UUIDField(error_messages={"invalid": _("页面已失效，请刷新后重试")})


class UnsubscriptionForm(forms.Form):
    """What the page of leaving sends; the reason is asked for by the service, so that nothing typed is lost."""

    reason = forms.CharField(required=False, max_length=20)
    reason_text = forms.CharField(
        required=False,
        max_length=200,
        error_messages={"max_length": _("补充说明最多 200 个字")},
    )
    confirmed = forms.BooleanField(required=False)
    to_balance = forms.BooleanField(required=False)
    shown_amount = forms.DecimalField(required=False, max_digits=12, decimal_places=2)
    key = forms.UUIDField(error_messages={"invalid": _("页面已失效，请刷新后重试")})


class AutoRenewalForm(forms.Form):
    """The owner's decision about the next term."""

    enabled = forms.BooleanField(required=False)
    years = forms.TypedChoiceField(
        choices=[(str(years), str(years)) for years in TERM_YEARS], coerce=int
    )
    agreement = forms.CharField(required=False, max_length=20)
