"""Forms of finance's desk. Rules are the services'; forms only read what was sent."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import Tenant
from billing.discounts import COUPON_ORDER_TYPES
from billing.forms import MOST_ID, PLANS, amount_of
from billing.providers.registry import NAMES
from billing.selectors.finance import STOPPED, customers_like, customers_named
from billing.states import (
    AccountKind,
    CouponKind,
    CouponState,
    DifferenceKind,
    InvoiceState,
    OrderType,
    PaymentState,
    RefundState,
)

ALIKE_NAMED = 5
MOMENT = "%Y-%m-%dT%H:%M"
DESTINATIONS = [
    (kind.value, kind.label)
    for kind in AccountKind
    if kind not in {AccountKind.HELD, AccountKind.SALES, AccountKind.REFUNDING}
]


def _search(label: Any, placeholder: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"placeholder": placeholder, "type": "search"})
    return forms.CharField(label=label, required=False, max_length=64, widget=widget)


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("请按 2026-11-24 的格式填写日期")},
    )


def _choice(label: Any, everything: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=[("", everything), *choices], required=False)


class Moment(forms.DateTimeField):
    """An instant as people type it, in Shanghai time to the minute or second."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT)
        options.setdefault("error_messages", {})["invalid"] = _("请填写日期和时间")
        formats = [MOMENT, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]
        super().__init__(widget=widget, input_formats=formats, **options)


class MoneyField(forms.CharField):
    """An amount in CNY as people type it, with thousands separators or without."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal"})
        super().__init__(max_length=16, widget=widget, **options)

    @override
    def clean(self, value: Any) -> Decimal | None:
        """Return the amount; None where nothing was typed."""
        text = super().clean(value)
        return amount_of(text) if text else None


class ListFilter(forms.Form):
    """What every list's filter has: the key of the next page. A field that cannot be read filters nothing."""

    after = forms.IntegerField(
        required=False, min_value=1, max_value=MOST_ID, widget=forms.HiddenInput
    )

    def chosen(self) -> dict[str, Any]:
        """Return what can be read of the filter, without the key of the page."""
        self.is_valid()
        data = dict(self.cleaned_data)
        data.pop("after", None)
        return {name: value for name, value in data.items() if value not in {"", None}}

    @property
    def key(self) -> int | None:
        """Return the key after which the page begins."""
        self.is_valid()
        return self.cleaned_data.get("after")

    @property
    def is_filtered(self) -> bool:
        """Return True if something was chosen: an empty list then says so."""
        return bool(self.chosen())


class PaymentFilter(ListFilter):
    """Payments by state, way and day, or by a number."""

    q = _search(_("订单号、支付单号或渠道流水号"), _("订单号、支付单号或流水号"))
    state = _choice(_("支付状态"), _("全部状态"), PaymentState.choices)
    provider = _choice(_("支付方式"), _("全部支付方式"), NAMES.items())
    day = _day(_("创建日期"))


class RefundFilter(ListFilter):
    """Refunds by state and destination, or by a number."""

    q = _search(_("退款单号或订单号"), _("退款单号或订单号"))
    state = _choice(_("退款状态"), _("全部状态"), [*RefundState.choices, (STOPPED, _("退款异常"))])
    destination = _choice(_("退款去向"), _("全部去向"), DESTINATIONS)


class TransferFilter(ListFilter):
    """Awaited transfers, closed ones whose money may still come, or a number."""

    q = _search(_("订单号或支付单号"), _("订单号或支付单号"))
    closed = forms.TypedChoiceField(
        label=_("状态"),
        choices=[("", _("待到账")), ("1", _("已关闭"))],
        required=False,
        coerce=bool,
        empty_value=None,
    )


class DifferenceFilter(ListFilter):
    """Differences by day, provider and kind; the open ones first."""

    settled = forms.TypedChoiceField(
        label=_("处理状态"),
        choices=[("", _("待处理")), ("1", _("已处理"))],
        required=False,
        coerce=bool,
        empty_value=None,
    )
    provider = _choice(_("支付渠道"), _("全部渠道"), NAMES.items())
    kind = _choice(_("差异"), _("全部差异"), DifferenceKind.choices)
    day = _day(_("账期"))


class FinanceInvoiceFilter(ListFilter):
    """Invoices by state: what is to be issued comes first."""

    q = _search(_("订单号或发票号码"), _("订单号或发票号码"))
    state = forms.ChoiceField(
        label=_("状态"),
        choices=[
            ("", InvoiceState.REQUESTED.label),
            *[row for row in InvoiceState.choices if row[0] != InvoiceState.REQUESTED],
            ("all", _("全部状态")),
        ],
        required=False,
    )

    def wanted(self) -> dict[str, str]:
        """Return the filter as the selector takes it; a number is looked for in every state."""
        chosen = self.chosen()
        q, state = chosen.get("q", ""), chosen.get("state") or InvoiceState.REQUESTED
        return {"q": q, "state": "" if q or state == "all" else state}


class TermsFilter(ListFilter):
    """Coupons: those that can be granted, or those that are over."""

    q = _search(_("编号或名称"), _("编号或名称"))
    over = forms.TypedChoiceField(
        label=_("有效期"),
        choices=[("", _("可发放")), ("1", _("已过期"))],
        required=False,
        coerce=bool,
        empty_value=None,
    )


class GrantFilter(ListFilter):
    """Who has a coupon, by state."""

    state = _choice(_("状态"), _("全部状态"), CouponState.choices)


class VoucherFilter(ListFilter):
    """Vouchers by what they are good for, or of one customer."""

    customer = _search(_("客户"), _("客户名称或客户编号"))
    state = _choice(
        _("状态"),
        _("全部状态"),
        [("usable", _("可使用")), ("over", _("已过期")), ("withdrawn", _("已收回"))],
    )


class NoteForm(forms.Form):
    """Why something was decided."""

    note = forms.CharField(
        label=_("处理说明"),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 200}),
    )


class ReferenceForm(forms.Form):
    """The bank's reference of money that was moved by hand."""

    reference = forms.CharField(label=_("银行流水号"), max_length=64, required=False)


class TransferForm(forms.Form):
    """What the bank has received. ``confirmed``: yes, another sum than the order's."""

    amount = MoneyField(label=_("到账金额（元）"))
    bank_serial = forms.CharField(label=_("银行流水号"), max_length=64)
    received_at = Moment(label=_("到账时间"), help_text=_("以银行回单为准，北京时间"))
    confirmed = forms.BooleanField(
        label=_("到账金额与应付金额不一致，全部转入该客户的账户余额"), required=False
    )

    def __init__(self, *args: Any, expected: Decimal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    @override
    def clean(self) -> dict[str, Any]:
        """Another sum is confirmed by a tick: a slip of the finger would leave the order unpaid."""
        data = super().clean() or {}
        amount = data.get("amount")
        if amount is not None and amount != self.expected and not data.get("confirmed"):
            self.add_error(
                "confirmed",
                _("应付 ¥%(expected)s，与到账金额不一致，请核对；确认无误请勾选此项")
                % {"expected": f"{self.expected:,.2f}"},
            )
        return data


class IssueForm(forms.Form):
    """An issued invoice: its number and its document."""

    invoice_number = forms.CharField(
        label=_("发票号码"), max_length=40, help_text=_("8–40 位数字或大写字母")
    )
    file = forms.FileField(
        label=_("发票文件"),
        help_text=_("PDF，不超过 20 MB"),
        widget=forms.FileInput(attrs={"accept": "application/pdf"}),
    )


class ReverseForm(forms.Form):
    """The red-letter invoice that cancels another one."""

    reversal_number = forms.CharField(
        label=_("红字发票号码"), max_length=40, help_text=_("8–40 位数字或大写字母")
    )


class CouponForm(forms.Form):
    """The terms of a coupon."""

    code = forms.CharField(label=_("编号"), max_length=32)
    name = forms.CharField(label=_("名称"), max_length=60)
    kind = forms.ChoiceField(label=_("类型"), choices=CouponKind.choices)
    value = MoneyField(
        label=_("面额或折扣比例"), help_text=_("满减填写金额（元），折扣填写减免的百分比")
    )
    cap = MoneyField(label=_("最高优惠（元）"), required=False, help_text=_("折扣券必填"))
    min_spend = MoneyField(label=_("最低消费（元）"), required=False)
    plans = forms.MultipleChoiceField(
        label=_("适用级别"),
        choices=PLANS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("不选表示全部级别"),
    )
    order_types = forms.MultipleChoiceField(
        label=_("适用订单"),
        choices=[(code.value, OrderType(code).label) for code in COUPON_ORDER_TYPES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("不选表示全部订单"),
    )
    valid_from = Moment(label=_("生效时间"))
    valid_until = Moment(label=_("失效时间"))
    budget = MoneyField(
        label=_("预算（元）"),
        required=False,
        help_text=_("已发放的券最多可减免的总额，不填表示不限"),
    )


class ForCustomer(forms.Form):
    """Something for one customer, whose name or id is typed; the server offers those that are alike."""

    customer = forms.CharField(
        label=_("客户"),
        max_length=100,
        help_text=_("客户名称或客户编号"),
        widget=forms.TextInput(
            attrs={
                "list": "customers",
                "autocomplete": "off",
                "hx-get": reverse_lazy("billing:finance_customer_search"),
                "hx-trigger": "input changed delay:250ms",
                "hx-target": "#customers",
                "hx-swap": "innerHTML",
            }
        ),
    )

    def clean_customer(self) -> Tenant:
        """Return the customer that is meant."""
        text = self.cleaned_data["customer"].strip()
        found = customers_named([text])[text]
        if len(found) > 1:
            raise forms.ValidationError(_("有多个同名客户，请填写客户编号"))
        if found:
            return found[0]
        if alike := customers_like(text)[:ALIKE_NAMED]:
            names = gettext("、").join(tenant.name for tenant in alike)
            raise forms.ValidationError(
                _("没有这个客户，名称相近的有：%(names)s") % {"names": names}
            )
        raise forms.ValidationError(_("没有这个客户，请填写完整的客户名称或客户编号"))


class CustomerForm(ForCustomer):
    """A grant to one customer, with the page's own key: a double click grants once."""

    key = forms.UUIDField(
        widget=forms.HiddenInput,
        initial=uuid.uuid4,
        error_messages={"invalid": _("页面已失效，请刷新后重试")},
    )


class TopUpForm(ForCustomer):
    """A transfer that finance has received. The bank's number makes it once."""

    amount = MoneyField(label=_("金额（元）"))
    note = forms.CharField(label=_("银行流水号"), max_length=100)


class VoucherForm(CustomerForm):
    """A voucher for one customer."""

    name = forms.CharField(label=_("名称"), max_length=60)
    amount = MoneyField(label=_("面额（元）"))
    valid_from = Moment(label=_("生效时间"))
    valid_until = Moment(label=_("失效时间"))
    field_order = ("customer", "name", "amount", "valid_from", "valid_until")


class ImportForm(forms.Form):
    """A file of grants, or the content of the one that was shown: what was read is what is granted."""

    file = forms.FileField(
        label=_("发放文件"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    content = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)
