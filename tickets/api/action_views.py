"""What customers do about their tickets besides replying, over the API: the same services as the pages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import IsCustomer, actor_of
from core import clock
from tickets.api.serializers import (
    TicketRatingSerializer,
    TicketSerializer,
    WatcherSerializer,
)
from tickets.api.views import tickets_visible
from tickets.models import Ticket
from tickets.selectors.watchers import watchers_of
from tickets.services import coverages, ratings, recalls, urges, watchers
from tickets.services import tickets as services


class _ActionView(APIView):
    """One action on one of the tenant's tickets."""

    permission_classes = (IsCustomer,)

    def ticket(self, request: Request, number: str) -> Ticket:
        """Return the ticket. Raises Http404, before anything is said about what was sent."""
        return get_object_or_404(tickets_visible(request), number=number)

    def act(self, request: Request, number: str, service: Any, **arguments: Any) -> Ticket:
        """Call a service on the ticket. Raises Http404 and the service's refusals; returns the fresh ticket."""
        ticket = self.ticket(request, number)
        service(ticket_id=ticket.pk, actor=actor_of(request._request), at=clock.now(), **arguments)
        return self.ticket(request, number)

    def done(self, request: Request, number: str, service: Any, **arguments: Any) -> Response:
        """Call a service and answer with the ticket as it is now."""
        return Response(TicketSerializer(self.act(request, number, service, **arguments)).data)


class UrgeView(_ActionView):
    """Urge a ticket."""

    @extend_schema(request=None, responses=TicketSerializer)
    def post(self, request: Request, number: str) -> Response:
        """Urge, once per target period; ``urge_too_early`` says from when it is possible."""
        return self.done(request, number, urges.ticket_urge)


class RaiseView(_ActionView):
    """Raise the severity."""

    @extend_schema(request=None, responses=TicketSerializer)
    def post(self, request: Request, number: str) -> Response:
        """Make a general ticket urgent."""
        return self.done(request, number, coverages.severity_raise)


class ConfirmView(_ActionView):
    """Confirm that a ticket is solved."""

    @extend_schema(request=None, responses=TicketSerializer)
    def post(self, request: Request, number: str) -> Response:
        """Close the ticket by the customer's word."""
        return self.done(request, number, services.ticket_confirm)


class RatingView(_ActionView):
    """Rate the help."""

    @extend_schema(request=TicketRatingSerializer, responses={201: TicketRatingSerializer})
    def post(self, request: Request, number: str) -> Response:
        """Rate a solved or closed ticket, once."""
        self.ticket(request, number)
        data = TicketRatingSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        words = {**data.validated_data, "reasons": sorted(data.validated_data.get("reasons", ()))}
        self.act(request, number, ratings.ticket_rate, **words)
        return Response(words, status=status.HTTP_201_CREATED)


class RecallView(_ActionView):
    """Take back a message."""

    @extend_schema(request=None, responses=TicketSerializer)
    def post(self, request: Request, number: str, message_id: int) -> Response:
        """Recall an own message within 2 minutes."""
        return self.done(request, number, recalls.message_recall, message_id=message_id)


class WatchersView(_ActionView):
    """Who follows a ticket."""

    @extend_schema(responses=WatcherSerializer(many=True))
    def get(self, request: Request, number: str) -> Response:
        """List the watchers."""
        ticket = self.ticket(request, number)
        return Response(WatcherSerializer(watchers_of(ticket), many=True).data)

    @extend_schema(request=WatcherSerializer, responses={201: WatcherSerializer(many=True)})
    def post(self, request: Request, number: str) -> Response:
        """Add one of the customer's authorised people."""
        self.ticket(request, number)
        data = WatcherSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        user_id = data.validated_data["user"].pk
        ticket = self.act(request, number, watchers.watcher_add, user_id=user_id)
        rows = WatcherSerializer(watchers_of(ticket), many=True).data
        return Response(rows, status=status.HTTP_201_CREATED)


class WatcherView(_ActionView):
    """One watcher."""

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, number: str, user_id: int) -> Response:
        """Take a watcher out."""
        self.act(request, number, watchers.watcher_remove, user_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
