"""What the API takes and gives. Amounts are texts with two places, CNY."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from billing.models import Order
from billing.quotes import TERM_YEARS
from supportplans.states import PlanCode

PLANS = [code.value for code in PlanCode if code != PlanCode.STANDARD]


class QuoteQuerySerializer(serializers.Serializer[Any]):
    """The question for a price."""

    plan = serializers.ChoiceField(choices=PLANS)
    years = serializers.ChoiceField(choices=TERM_YEARS)


class ExplanationSerializer(serializers.Serializer[Any]):
    """One step of the arithmetic."""

    rule = serializers.CharField()
    formula = serializers.CharField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)


class QuoteSerializer(serializers.Serializer[Any]):
    """A price with its arithmetic; the term starts when the order is fulfilled, ``ends`` is what it would be now."""

    plan = serializers.CharField()
    years = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)
    paid_days = serializers.IntegerField()
    ends = serializers.DateTimeField()
    agreement_version = serializers.CharField()
    explanation = ExplanationSerializer(many=True)


class OrderCreateSerializer(QuoteQuerySerializer):
    """A new order; ``agreement_version`` says which version of the service agreement is accepted."""

    agreement_version = serializers.CharField(max_length=20)
    amount = serializers.DecimalField(max_digits=12, decimal_places=2, required=False)


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
            "amount",
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
