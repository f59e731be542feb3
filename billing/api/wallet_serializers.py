"""What the API takes and gives of funds, coupons, vouchers, the balance and invoices. Amounts are texts, CNY."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from billing.models import CouponGrant, Invoice, LedgerLeg, Voucher

MONEY: dict[str, Any] = {"max_digits": 12, "decimal_places": 2}


class FundsSerializer(serializers.Serializer[Any]):
    """What pays an order: a coupon, vouchers by id, and whether the balance pays the rest as far as it can."""

    coupon = serializers.IntegerField(min_value=1, allow_null=True, default=None)
    vouchers = serializers.ListField(
        child=serializers.IntegerField(min_value=1), max_length=100, default=list
    )
    use_balance = serializers.BooleanField(default=False)


class CouponSerializer(serializers.ModelSerializer[CouponGrant]):
    """A coupon in the customer's hands. ``value`` is CNY (fixed) or percent off, up to ``cap``."""

    code = serializers.CharField(source="coupon.code")
    name = serializers.CharField(source="coupon.name")
    kind = serializers.CharField(source="coupon.kind")
    value = serializers.DecimalField(source="coupon.value", **MONEY)
    cap = serializers.DecimalField(source="coupon.cap", allow_null=True, **MONEY)
    min_spend = serializers.DecimalField(source="coupon.min_spend", **MONEY)
    plans = serializers.ListField(source="coupon.plans", child=serializers.CharField())
    order_types = serializers.ListField(source="coupon.order_types", child=serializers.CharField())
    valid_from = serializers.DateTimeField(source="coupon.valid_from")
    valid_until = serializers.DateTimeField(source="coupon.valid_until")

    class Meta:
        model = CouponGrant
        fields = (
            "id",
            "code",
            "name",
            "kind",
            "value",
            "cap",
            "min_spend",
            "plans",
            "order_types",
            "valid_from",
            "valid_until",
            "state",
            "amount",
        )
        read_only_fields = fields


class VoucherSerializer(serializers.ModelSerializer[Voucher]):
    """A voucher. ``balance`` is what is neither used nor held."""

    class Meta:
        model = Voucher
        fields = (
            "id",
            "number",
            "name",
            "amount",
            "balance",
            "valid_from",
            "valid_until",
            "withdrawn_at",
        )
        read_only_fields = fields


class StatementSerializer(serializers.ModelSerializer[LedgerLeg]):
    """One posting of the spendable balance: positive came, negative went."""

    kind = serializers.CharField(source="transaction.kind")
    order = serializers.CharField(source="transaction.order.number", default=None)
    note = serializers.CharField(source="transaction.note")
    created_at = serializers.DateTimeField(source="transaction.created_at")

    class Meta:
        model = LedgerLeg
        fields = ("id", "kind", "order", "note", "amount", "created_at")
        read_only_fields = fields


class BalanceSerializer(serializers.Serializer[Any]):
    """What can be spent, and what open orders hold."""

    available = serializers.DecimalField(**MONEY)
    held = serializers.DecimalField(**MONEY)


class TopUpSerializer(serializers.Serializer[Any]):
    """A sum to put on the balance; the order is paid at the cashier."""

    amount = serializers.DecimalField(**MONEY)


class InvoiceRequestSerializer(serializers.Serializer[Any]):
    """A request for the invoice of one order, by its number."""

    order = serializers.CharField(max_length=20)
    title = serializers.CharField(max_length=100)
    tax_number = serializers.CharField(max_length=20)
    email = serializers.EmailField()


class InvoiceSerializer(serializers.ModelSerializer[Invoice]):
    """An invoice or the request for one."""

    order = serializers.CharField(source="order.number")

    class Meta:
        model = Invoice
        fields = (
            "id",
            "order",
            "title",
            "tax_number",
            "email",
            "amount",
            "state",
            "invoice_number",
            "issued_at",
            "reversal_number",
            "reversed_at",
            "created_at",
        )
        read_only_fields = fields
