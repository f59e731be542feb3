"""Orders over the API: the same services as the pages."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from accounts.access import IsCustomer, actor_of, identity_of
from accounts.models.tenants import TenantRole
from billing.api.requests import order_place, quote_for
from billing.api.serializers import (
    OrderCreateSerializer,
    OrderSerializer,
    QuoteQuerySerializer,
    QuoteSerializer,
)
from billing.models import Order
from billing.selectors.orders import order_get_for, order_list_for
from core import clock
from supportplans.selectors.catalogue import agreement_at

KEY_MAX = 80
IDEMPOTENCY_KEY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=True)
Row = TypeVar("Row", bound=Model)


def idempotency_key(request: Request) -> str:
    """Return the header that makes a repeated call the same call. Raises ValidationError."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key or len(key) > KEY_MAX:
        raise ValidationError({"Idempotency-Key": [f"必填，最多 {KEY_MAX} 个字符"]})
    return key


class CustomerView(GenericAPIView[Row]):
    """A view for people of a tenant. A method may ask for another role than the view: ``<method>_role``."""

    permission_classes = (IsAuthenticated, IsCustomer)
    least_role = TenantRole.ADMINISTRATOR

    @override
    def check_permissions(self, request: Request) -> None:
        """Let in whom the method asks for."""
        self.least_role = getattr(self, f"{str(request.method).lower()}_role", self.least_role)
        super().check_permissions(request)

    def tenant_id(self) -> int:
        """Return the tenant of the request."""
        tenant_id = identity_of(self.request).tenant_id
        if tenant_id is None:
            raise Http404
        return tenant_id

    def order(self, number: str) -> Order:
        """Return one of the tenant's orders. Raises Http404."""
        try:
            return order_get_for(self.tenant_id(), number)
        except Order.DoesNotExist:
            raise Http404 from None


class OrderListView(ListModelMixin, CustomerView[Order]):
    """List orders; place one."""

    post_role = TenantRole.OWNER
    serializer_class = OrderSerializer

    @override
    def get_queryset(self) -> QuerySet[Order]:
        """Return the tenant's orders."""
        return order_list_for(self.tenant_id())

    def get(self, request: Request) -> Response:
        """List the tenant's orders, newest first, by keyset."""
        return self.list(request)

    @extend_schema(
        request=OrderCreateSerializer,
        responses={201: OrderSerializer},
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> Response:
        """Order a plan, a change, a renewal, or leaving. The same Idempotency-Key again returns the same order."""
        key = idempotency_key(request)
        asked = OrderCreateSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        order = order_place(
            tenant_id=self.tenant_id(),
            asked=asked.validated_data,
            idempotency_key=key,
            actor=actor_of(request._request),
            at=clock.now(),
        )
        return Response(OrderSerializer(order).data, status=status.HTTP_201_CREATED)


class OrderDetailView(CustomerView[Order]):
    """One order."""

    serializer_class = OrderSerializer

    def get(self, request: Request, number: str) -> Response:
        """Return one of the tenant's orders."""
        return Response(OrderSerializer(self.order(number)).data)


class QuoteView(CustomerView[Order]):
    """Prices."""

    serializer_class = OrderSerializer
    least_role = TenantRole.MEMBER
    pagination_class = None

    @extend_schema(parameters=[QuoteQuerySerializer], responses=QuoteSerializer)
    def get(self, request: Request) -> Response:
        """Return what a new term, a change, a renewal or leaving costs or gives back now, and why."""
        asked = QuoteQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        now = clock.now()
        quote = quote_for(self.tenant_id(), asked.validated_data, now)
        years = asked.validated_data.get("years")
        answer = {
            "type": asked.validated_data["type"],
            "plan": quote.plan,
            "years": int(years) if years else None,
            "amount": quote.charge,
            "refund": quote.refund,
            "refund_to": quote.refund_to,
            "voucher_back": quote.voucher_back,
            "coupon_back": quote.coupon_back,
            "free_return": quote.is_free_return,
            "paid_days": quote.days,
            "ends": max((line.ends for line in quote.lines), default=None),
            "agreement_version": agreement_at(now).version,
            "explanation": [line.as_json() for line in quote.explanation],
        }
        return Response(QuoteSerializer(answer).data)
