"""Customers' service orders over the API."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED
from rest_framework.views import APIView
from typing_extensions import override

from accounts.access import IsCustomer, actor_of, identity_of
from core import clock
from servicedesk import selectors
from servicedesk.api.serializers import (
    RatingSerializer,
    ServiceOrderDetailSerializer,
    ServiceOrderSerializer,
)
from servicedesk.models import ServiceOrder
from servicedesk.services import service_orders


class ServiceOrderList(ListAPIView[ServiceOrder]):
    """List the tenant's service orders, newest first; filters: state, item, number."""

    permission_classes = (IsCustomer,)
    serializer_class = ServiceOrderSerializer

    @override
    def get_queryset(self) -> QuerySet[ServiceOrder]:
        orders = selectors.service_order_list_for(identity_of(self.request))
        return selectors.service_order_filtered(orders, self.request.query_params)


class ServiceOrderDetail(RetrieveAPIView[ServiceOrder]):
    """Show one service order with its files."""

    permission_classes = (IsCustomer,)
    serializer_class = ServiceOrderDetailSerializer
    lookup_field = "number"

    @override
    def get_queryset(self) -> QuerySet[ServiceOrder]:
        return selectors.service_order_list_for(identity_of(self.request)).prefetch_related(
            "deliverables"
        )


class ServiceOrderRate(APIView):
    """Rate a completed service order, or change the rating within seven days."""

    permission_classes = (IsCustomer,)
    serializer_class = RatingSerializer

    def post(self, request: Request, number: str) -> Response:
        """Take both dimensions and a suggestion of up to 500 characters."""
        order = get_object_or_404(
            selectors.service_order_list_for(identity_of(request)), number=number
        )
        data = RatingSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        rating = service_orders.service_order_rate(
            order_id=order.pk,
            actor=actor_of(request._request),
            at=clock.now(),
            **data.validated_data,
        )
        return Response(RatingSerializer(rating).data, status=HTTP_201_CREATED)
