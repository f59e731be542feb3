"""What an order is paid with, over the API: the same services as the pages."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from accounts.access import actor_of
from accounts.models.tenants import TenantRole
from billing.api.serializers import OrderSerializer
from billing.api.views import IDEMPOTENCY_KEY, CustomerView, idempotency_key
from billing.api.wallet_serializers import (
    BalanceSerializer,
    CouponSerializer,
    FundsSerializer,
    InvoiceRequestSerializer,
    InvoiceSerializer,
    StatementSerializer,
    TopUpSerializer,
    VoucherSerializer,
)
from billing.models import CouponGrant, Invoice, LedgerLeg, Voucher
from billing.selectors.funds import coupon_list_for, voucher_list_for
from billing.selectors.invoices import invoice_get_for, invoice_list_for
from billing.selectors.wallet import balances_of, statement_of
from billing.services import invoices
from billing.services.orders import order_set_funds
from billing.services.top_ups import top_up_create
from core import clock


class OrderFundsView(CustomerView[Any]):
    """What pays an order."""

    least_role = TenantRole.OWNER
    serializer_class = FundsSerializer

    @extend_schema(request=FundsSerializer, responses=OrderSerializer)
    def put(self, request: Request, number: str) -> Response:
        """Choose coupon, vouchers and balance of an open order; what is chosen is held at once.

        When nothing is left to pay the order is paid at once.
        """
        asked = FundsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        order = order_set_funds(
            order_id=self.order(number).pk,
            coupon_grant_id=asked.validated_data["coupon"],
            voucher_ids=asked.validated_data["vouchers"],
            use_balance=asked.validated_data["use_balance"],
            actor=actor_of(request._request),
            at=clock.now(),
        )
        return Response(OrderSerializer(order).data)


class CouponListView(ListModelMixin, CustomerView[CouponGrant]):
    """The customer's coupons."""

    serializer_class = CouponSerializer

    @override
    def get_queryset(self) -> QuerySet[CouponGrant]:
        """Return the tenant's coupons."""
        return coupon_list_for(self.tenant_id())

    def get(self, request: Request) -> Response:
        """List the tenant's coupons, newest first, by keyset."""
        return self.list(request)


class VoucherListView(ListModelMixin, CustomerView[Voucher]):
    """The customer's vouchers."""

    serializer_class = VoucherSerializer

    @override
    def get_queryset(self) -> QuerySet[Voucher]:
        """Return the tenant's vouchers."""
        return voucher_list_for(self.tenant_id())

    def get(self, request: Request) -> Response:
        """List the tenant's vouchers, newest first, by keyset."""
        return self.list(request)


class BalanceView(CustomerView[Any]):
    """The balance."""

    serializer_class = BalanceSerializer
    pagination_class = None

    def get(self, request: Request) -> Response:
        """Return what can be spent and what open orders hold."""
        available, held = balances_of(self.tenant_id())
        return Response(BalanceSerializer({"available": available, "held": held}).data)


class StatementView(ListModelMixin, CustomerView[LedgerLeg]):
    """The balance's statement."""

    serializer_class = StatementSerializer

    @override
    def get_queryset(self) -> QuerySet[LedgerLeg]:
        """Return what moved the tenant's balance."""
        return statement_of(self.tenant_id())

    def get(self, request: Request) -> Response:
        """List what moved the spendable balance, newest first, by keyset."""
        return self.list(request)


class TopUpView(CustomerView[Any]):
    """Top-ups."""

    least_role = TenantRole.OWNER
    serializer_class = TopUpSerializer

    @extend_schema(
        request=TopUpSerializer, responses={201: OrderSerializer}, parameters=[IDEMPOTENCY_KEY]
    )
    def post(self, request: Request) -> Response:
        """Order a top-up of the balance. The same Idempotency-Key again returns the same order."""
        key = idempotency_key(request)
        asked = TopUpSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        order = top_up_create(
            tenant_id=self.tenant_id(),
            amount=asked.validated_data["amount"],
            idempotency_key=key,
            actor=actor_of(request._request),
            at=clock.now(),
        )
        return Response(OrderSerializer(order).data, status=status.HTTP_201_CREATED)


class InvoiceListView(ListModelMixin, CustomerView[Invoice]):
    """List invoices; ask for one."""

    post_role = TenantRole.OWNER
    serializer_class = InvoiceSerializer

    @override
    def get_queryset(self) -> QuerySet[Invoice]:
        """Return the tenant's invoices."""
        return invoice_list_for(self.tenant_id())

    def get(self, request: Request) -> Response:
        """List the tenant's invoices, newest first, by keyset."""
        return self.list(request)

    @extend_schema(request=InvoiceRequestSerializer, responses={201: InvoiceSerializer})
    def post(self, request: Request) -> Response:
        """Ask for the invoice of a completed order, over what was paid and not refunded."""
        asked = InvoiceRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        invoice = invoices.invoice_request(
            order_id=self.order(data["order"]).pk,
            title=data["title"],
            tax_number=data["tax_number"],
            email=data["email"],
            actor=actor_of(request._request),
            at=clock.now(),
        )
        return Response(InvoiceSerializer(invoice).data, status=status.HTTP_201_CREATED)


class InvoiceDetailView(CustomerView[Invoice]):
    """One invoice."""

    delete_role = TenantRole.OWNER
    serializer_class = InvoiceSerializer

    def get(self, request: Request, invoice_id: int) -> Response:
        """Return one of the tenant's invoices."""
        return Response(InvoiceSerializer(self._invoice(invoice_id)).data)

    @extend_schema(responses=InvoiceSerializer)
    def delete(self, request: Request, invoice_id: int) -> Response:
        """Cancel a request that finance has not met yet; the request stays visible as cancelled."""
        invoice = invoices.invoice_withdraw(
            invoice_id=self._invoice(invoice_id).pk,
            actor=actor_of(request._request),
            at=clock.now(),
        )
        return Response(InvoiceSerializer(invoice).data)

    def _invoice(self, invoice_id: int) -> Invoice:
        try:
            return invoice_get_for(self.tenant_id(), invoice_id)
        except Invoice.DoesNotExist:
            raise Http404 from None
