"""Forms of the order flow. Prices and rules are the services'; forms only read what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from billing.states import CouponState, OrderState, OrderType, PaymentState
from core.exports import ExportFormat
from supportplans.states import PlanCode

# More than anybody chooses for one order.
MOST_VOUCHERS = 100
MOST_ID = 2**63 - 1  # PostgreSQL's bigint
PLANS = [(code.value, code.label) for code in PlanCode if code != PlanCode.STANDARD]


class OrderForm(forms.Form):
    """What the order page sends: level, years, the accepted version, the amount that was shown, the page's own key."""

    plan = forms.ChoiceField(label=_("支持计划"), choices=PLANS)
    years = forms.IntegerField(label=_("购买时长"))
    agreement = forms.CharField(required=False, max_length=20)
    shown_amount = forms.DecimalField(required=False, max_digits=12, decimal_places=2)
    key = forms.UUIDField(error_messages={"invalid": _("页面已失效，请刷新后重试")})


class ChoiceForm(forms.Form):
    """The query string of the order page; what is missing or wrong falls back to the first choice."""

    plan = forms.ChoiceField(choices=PLANS, required=False)
    years = forms.IntegerField(required=False)

    def chosen(self, all_years: Sequence[int]) -> tuple[str, int]:
        """Return plan code and years; ``all_years`` are the terms that are offered."""
        self.is_valid()
        plan, years = self.cleaned_data.get("plan"), self.cleaned_data.get("years")
        return plan or PlanCode.LITE.value, next((n for n in all_years if n == years), all_years[0])


class FundsForm(forms.Form):
    """What pays an order: a coupon's grant, vouchers, the balance. ``page`` marks a choice made on it."""

    page = forms.BooleanField(required=False)
    coupon = forms.IntegerField(required=False, min_value=1, max_value=MOST_ID)
    vouchers = forms.TypedMultipleChoiceField(coerce=int, required=False)
    balance = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        # Which vouchers there are is the service's business; here they are numbers.
        chosen = [
            value
            for value in data.getlist("vouchers")
            if value.isdecimal() and int(value) <= MOST_ID
        ]
        field = self.fields["vouchers"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(value, value) for value in chosen[:MOST_VOUCHERS]]

    def chosen(self) -> tuple[int | None, list[int], bool] | None:
        """Return coupon, vouchers and balance as chosen on the page, as far as they can be read; None before that."""
        self.is_valid()
        data = self.cleaned_data
        if not data.get("page"):
            return None
        return data.get("coupon"), data.get("vouchers") or [], bool(data.get("balance"))

    def is_refused(self, method: str | None) -> bool:
        """Return True for a submission that cannot be read."""
        return method == "POST" and not self.is_valid()

    def as_query(self) -> str:
        """Return the choice as a query string."""
        coupon, vouchers, balance = self.chosen() or (None, [], False)
        pairs = [("page", "1"), ("coupon", str(coupon or ""))]
        pairs += [("vouchers", str(voucher)) for voucher in vouchers]
        return urlencode([*pairs, *([("balance", "1")] if balance else [])])


class StatementFilter(forms.Form):
    """The statement's month, and the kind of file of an export."""

    month = forms.RegexField(
        label=_("月份"),
        regex=r"^20\d\d-(0[1-9]|1[0-2])$",
        required=False,
        widget=forms.DateInput(attrs={"type": "month"}),
        error_messages={"invalid": _("请按 2026-11 的格式填写月份")},
    )
    format = forms.ChoiceField(choices=ExportFormat.choices, required=False)

    def chosen(self) -> date | None:
        """Return the first day of the month, or None for all."""
        month = self.cleaned_data.get("month") if self.is_valid() else ""
        return date.fromisoformat(f"{month}-01") if month else None


class CouponFilter(forms.Form):
    """The coupons' filter."""

    state = forms.ChoiceField(
        label=_("状态"), choices=[("", _("全部状态")), *CouponState.choices], required=False
    )


class InvoiceForm(forms.Form):
    """To whom an invoice is made out. What is right is the service's to say."""

    title = forms.CharField(label=_("发票抬头"), max_length=100)
    tax_number = forms.CharField(
        label=_("税号"), max_length=20, help_text=_("15–20 位数字或大写字母")
    )
    email = forms.EmailField(label=_("接收邮箱"))


class OrderFilter(forms.Form):
    """The order centre's filter, and the kind of file of an export. Days are Shanghai's."""

    state = forms.ChoiceField(
        label=_("订单状态"), choices=[("", _("全部状态")), *OrderState.choices], required=False
    )
    type = forms.ChoiceField(
        label=_("订单类型"), choices=[("", _("全部类型")), *OrderType.choices], required=False
    )
    since = forms.DateField(
        label=_("开始日期"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("结束日期"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    number = forms.CharField(
        label=_("订单号"),
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    format = forms.ChoiceField(choices=ExportFormat.choices, required=False)

    def chosen(self) -> dict[str, Any]:
        """Return the arguments of ``order_list_for``; a field that makes no sense filters nothing."""
        self.is_valid()
        data = self.cleaned_data
        return {name: data.get(name) for name in ("state", "type", "since", "until", "number")}


class PaymentFilter(forms.Form):
    """Finance's filter and the key of the next page."""

    state = forms.ChoiceField(
        label=_("支付状态"), choices=[("", _("全部状态")), *PaymentState.choices], required=False
    )
    after = forms.IntegerField(required=False, min_value=1)


class TopUpOrderForm(forms.Form):
    """What the top-up page sends: the sum, and the page's own key."""

    amount = forms.CharField(
        label=_("充值金额（元）"),
        max_length=16,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    key = forms.UUIDField(
        widget=forms.HiddenInput, error_messages={"invalid": _("页面已失效，请刷新后重试")}
    )

    def clean_amount(self) -> Decimal:
        """Return the amount in CNY; thousands separators are allowed."""
        return amount_of(self.cleaned_data["amount"])


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

    years = forms.IntegerField(label=_("续订时长"))
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
    years = forms.IntegerField()
    agreement = forms.CharField(required=False, max_length=20)


def amount_of(text: str) -> Decimal:
    """Return an amount as people type it, with thousands separators or without. Raises ValidationError."""
    try:
        return Decimal(text.replace(",", "").replace("，", ""))
    except InvalidOperation:
        raise forms.ValidationError(_("请输入金额，例如 6000.00")) from None
