"""Tickets over the API: a customer's own; staff of the console reads and answers all."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from typing_extensions import override

from accounts.access import IsCustomer, actor_of, identity_of
from core import clock
from tickets.api.serializers import (
    ReopeningSerializer,
    ReplySerializer,
    TicketDetailSerializer,
    TicketSerializer,
    TicketSubmitSerializer,
)
from tickets.models import Ticket
from tickets.services.replies import reply_add, ticket_reopen
from tickets.services.tickets import ticket_submit
from tickets.states import CONSOLE_ROLES

KEY_HEADER = "Idempotency-Key"


class WorksTickets(BasePermission):
    """Customers of a tenant, and staff that sees the console."""

    @override
    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True for those who may be here."""
        identity = identity_of(request)
        return identity.is_customer or (
            identity.is_staff and identity.has_staff_role(*CONSOLE_ROLES)
        )


class TicketListView(generics.ListAPIView[Ticket]):
    """List tickets, newest first, by key; submit one."""

    permission_classes = (WorksTickets,)
    serializer_class = TicketSerializer

    @override
    def get_queryset(self) -> QuerySet[Ticket]:
        """Return the tickets that the person may see."""
        return tickets_visible(self.request)

    @extend_schema(request=TicketSubmitSerializer, responses={201: TicketSerializer})
    def post(self, request: Request) -> Response:
        """Submit a ticket. The header ``Idempotency-Key`` makes a repeated request harmless."""
        identity = identity_of(request)
        if identity.tenant_id is None:
            raise PermissionDenied
        data = TicketSubmitSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        number = data.validated_data.pop("follows")
        follows = tickets_visible(request).filter(number=number).first() if number else None
        if number and follows is None:
            raise ValidationError({"follows": [_("没有这张工单")]})
        ticket = ticket_submit(
            tenant_id=identity.tenant_id,
            follows=follows,
            actor=actor_of(request._request),
            at=clock.now(),
            idempotency_key=idempotency_key(request),
            **data.validated_data,
        )
        return Response(TicketSerializer(ticket).data, status=status.HTTP_201_CREATED)


class TicketDetailView(generics.RetrieveAPIView[Ticket]):
    """One ticket with its conversation and clocks."""

    permission_classes = (WorksTickets,)
    serializer_class = TicketDetailSerializer
    lookup_field = "number"

    @override
    def get_queryset(self) -> QuerySet[Ticket]:
        """Return the tickets that the person may see."""
        return tickets_visible(self.request)

    @override
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Return the ticket; a merged one answers with the place of the ticket that it leads to (301)."""
        ticket = self.get_object()
        if ticket.merged_into is not None:
            place = request.build_absolute_uri(
                reverse("tickets_api:ticket_detail", args=[ticket.merged_into.number])
            )
            return Response(status=status.HTTP_301_MOVED_PERMANENTLY, headers={"Location": place})
        return Response(self.get_serializer(ticket).data)


class ReplyView(APIView):
    """Answer a ticket."""

    permission_classes = (WorksTickets,)

    @extend_schema(request=ReplySerializer, responses={201: TicketSerializer})
    def post(self, request: Request, number: str) -> Response:
        """Add a public reply. Only staff can hand the turn over (``wait``)."""
        ticket = get_object_or_404(tickets_visible(request), number=number)
        data = ReplySerializer(data=request.data)
        data.is_valid(raise_exception=True)
        words: dict[str, Any] = data.validated_data
        actor = actor_of(request._request)
        if words["wait"] and not actor.is_staff:
            raise PermissionDenied
        ticket = reply_add(
            ticket_id=ticket.pk,
            actor=actor,
            at=clock.now(),
            idempotency_key=idempotency_key(request),
            **words,
        )
        return Response(TicketSerializer(ticket).data, status=status.HTTP_201_CREATED)


class ReopeningView(APIView):
    """Take up again what was solved or closed."""

    permission_classes = (IsCustomer,)

    @extend_schema(request=ReopeningSerializer, responses={201: TicketSerializer})
    def post(self, request: Request, number: str) -> Response:
        """Reopen an own ticket with words, within seven days of its end; a new clock starts."""
        ticket = get_object_or_404(tickets_visible(request), number=number)
        data = ReopeningSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        words: dict[str, Any] = data.validated_data
        ticket = ticket_reopen(
            ticket_id=ticket.pk,
            actor=actor_of(request._request),
            at=clock.now(),
            idempotency_key=idempotency_key(request),
            **words,
        )
        return Response(TicketSerializer(ticket).data, status=status.HTTP_201_CREATED)


def idempotency_key(request: Request) -> str | None:
    """Return what the client calls its request, so that a repeated one is harmless."""
    return request.headers.get(KEY_HEADER, "")[:64] or None


def tickets_visible(request: Any) -> QuerySet[Ticket]:
    """Return a customer's own tickets, or all to staff (the database holds the customer to it as well)."""
    identity = identity_of(request)
    tickets = (
        Ticket.objects.defer("search")
        .select_related("product_line", "category", "assignee")
        .annotate(merged_number=F("merged_into__number"))
        .order_by("-id")
    )
    if identity.is_staff:
        return tickets
    if identity.tenant_id is None:
        raise Http404
    return tickets.filter(tenant_id=identity.tenant_id)
