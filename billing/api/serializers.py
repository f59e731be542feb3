"""What the API takes and gives. Amounts are texts with two places, CNY."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from typing_extensions import override

from billing.models import Order
from billing.states import OrderType, UnsubscribeReason
from supportplans.states import PlanCode

PLANS = [code.value for code in PlanCode if code != PlanCode.STANDARD]


# What each kind of order needs beside its type.
NEEDS = {
    OrderType.NEW: ("plan", "years"),
    OrderType.RENEW: ("years",),
    OrderType.UPGRADE: ("plan",),
    OrderType.DOWNGRADE: ("plan",),
    OrderType.UNSUBSCRIBE: (),
}


class QuoteQuerySerializer(serializers.Serializer[Any]):
    """The question for a price: ``plan`` for new, upgrade and downgrade, ``years`` for new and renew."""

    type = serializers.ChoiceField(choices=list(NEEDS), default=OrderType.NEW)
    plan = serializers.ChoiceField(choices=PLANS, required=False)
    years = serializers.IntegerField(min_value=1, required=False)

    @override
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for what the type needs."""
        missing = [name for name in NEEDS[OrderType(attrs["type"])] if name not in attrs]
        if missing:
            required = self.fields[missing[0]].error_messages["required"]
            raise serializers.ValidationError({name: [required] for name in missing})
        return attrs


class ExplanationSerializer(serializers.Serializer[Any]):
    """One step of the arithmetic."""

    rule = serializers.CharField()
    formula = serializers.CharField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)


class QuoteSerializer(serializers.Serializer[Any]):
    """A price with its arithmetic: what is charged (``amount``) or given back (``refund``, by method).

    ``ends`` is the end of the term afterwards, as of now; empty after leaving.
    """

    type = serializers.CharField()
    plan = serializers.CharField()
    years = serializers.IntegerField(allow_null=True)
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)
    refund = serializers.DecimalField(max_digits=12, decimal_places=2)
    refund_to = serializers.DictField(
        child=serializers.DecimalField(max_digits=12, decimal_places=2)
    )
    voucher_back = serializers.DecimalField(max_digits=12, decimal_places=2)
    coupon_back = serializers.DecimalField(max_digits=12, decimal_places=2)
    free_return = serializers.BooleanField()
    paid_days = serializers.IntegerField()
    ends = serializers.DateTimeField(allow_null=True)
    agreement_version = serializers.CharField()
    explanation = ExplanationSerializer(many=True)


class OrderCreateSerializer(QuoteQuerySerializer):
    """A new order. ``agreement_version`` says which version of the service agreement is accepted (all but leaving);
    ``amount`` what the caller expects to pay, or to get back; ``reason`` and ``confirmed`` are for leaving."""

    agreement_version = serializers.CharField(max_length=20, required=False, default="")
    amount = serializers.DecimalField(max_digits=12, decimal_places=2, required=False)
    to_balance = serializers.BooleanField(default=False)
    reason = serializers.ChoiceField(choices=UnsubscribeReason.choices, required=False)
    reason_text = serializers.CharField(max_length=200, required=False, default="")
    confirmed = serializers.BooleanField(default=False)


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order."""

    plan = serializers.CharField(source="plan.code", default=None)
    due = serializers.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        model = Order
        fields = (
            "number",
            "type",
            "state",
            "plan",
            "years",
            "paid_days",
            "amount",
            "refund_amount",
            "refund_to",
            "to_balance",
            "coupon_amount",
            "voucher_amount",
            "balance_amount",
            "due",
            "explanation",
            "pays_until",
            "paid_at",
            "completed_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields
