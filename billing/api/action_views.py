"""Paying at a provider, cancelling, and renewing by itself, over the API: the same services as the pages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import actor_of
from accounts.models.tenants import TenantRole
from billing.api.serializers import OrderSerializer
from billing.api.views import CustomerView
from billing.models import AutoRenewal
from billing.providers.registry import methods
from billing.services.orders import order_cancel
from billing.services.payments import payment_begin
from billing.services.renewals import auto_renewal_set
from core import clock


class PaymentMethodSerializer(serializers.Serializer[Any]):
    """A way to pay what is left of an order; ``reason`` says why it cannot be used, empty where it can."""

    code = serializers.CharField()
    name = serializers.CharField()
    reason = serializers.CharField()


class PaymentBeginSerializer(serializers.Serializer[Any]):
    """Which provider is to be paid at."""

    method = serializers.CharField(max_length=12)


class PaymentBegunSerializer(serializers.Serializer[Any]):
    """Where the customer pays: a signed address, or empty while a worker has a code made."""

    number = serializers.CharField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)
    address = serializers.CharField(allow_blank=True)


class AutoRenewalSerializer(serializers.Serializer[Any]):
    """Whether the plan renews by itself from the balance; turning it on accepts the agreement."""

    enabled = serializers.BooleanField()
    years = serializers.IntegerField(min_value=1, default=1)
    agreement_version = serializers.CharField(max_length=20, required=False, default="")
    failure = serializers.CharField(read_only=True)


class OrderCancelView(CustomerView[Any]):
    """Giving up an unpaid order."""

    least_role = TenantRole.OWNER
    serializer_class = OrderSerializer

    @extend_schema(request=None, responses=OrderSerializer)
    def post(self, request: Request, number: str) -> Response:
        """Cancel an unpaid order. With an attempt under way it ends once the provider has closed that."""
        order = order_cancel(
            order_id=self.order(number).pk, actor=actor_of(request._request), at=clock.now()
        )
        return Response(OrderSerializer(order).data)


class OrderPaymentView(CustomerView[Any]):
    """The cashier of an order."""

    least_role = TenantRole.OWNER
    serializer_class = PaymentMethodSerializer
    pagination_class = None

    @extend_schema(responses=PaymentMethodSerializer(many=True))
    def get(self, request: Request, number: str) -> Response:
        """List the ways to pay what is left."""
        shown = methods(self.order(number).due)
        return Response(PaymentMethodSerializer(shown, many=True).data)

    @extend_schema(request=PaymentBeginSerializer, responses=PaymentBegunSerializer)
    def post(self, request: Request, number: str) -> Response:
        """Open an attempt at a provider, or return to the open one. One active attempt per order."""
        order = self.order(number)
        asked = PaymentBeginSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        begun = payment_begin(
            order_id=order.pk,
            provider_code=asked.validated_data["method"],
            actor=actor_of(request._request),
            at=clock.now(),
        )
        answer = {
            "number": begun.payment.number,
            "amount": begun.payment.amount,
            "address": begun.address,
        }
        return Response(PaymentBegunSerializer(answer).data)


class AutoRenewalView(CustomerView[Any]):
    """Renewing by itself."""

    least_role = TenantRole.OWNER
    serializer_class = AutoRenewalSerializer

    @extend_schema(responses=AutoRenewalSerializer)
    def get(self, request: Request) -> Response:
        """Return the setting; off unless it was turned on."""
        return Response(AutoRenewalSerializer(self._setting()).data)

    @extend_schema(request=AutoRenewalSerializer, responses=AutoRenewalSerializer)
    def put(self, request: Request) -> Response:
        """Turn it on or off."""
        asked = AutoRenewalSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        setting = auto_renewal_set(
            tenant_id=self.tenant_id(),
            enabled=asked.validated_data["enabled"],
            years=asked.validated_data["years"],
            agreement_version=asked.validated_data["agreement_version"],
            actor=actor_of(request._request),
            at=clock.now(),
        )
        return Response(AutoRenewalSerializer(setting).data)

    def _setting(self) -> AutoRenewal:
        found = AutoRenewal.objects.filter(tenant_id=self.tenant_id()).first()
        return found or AutoRenewal(enabled=False)
