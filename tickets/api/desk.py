"""What agents do with tickets beyond answering, over the API. Customers see no such address."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import IsStaff, actor_of, identity_of
from core import clock
from tickets.api.serializers import TicketSerializer
from tickets.desk_states import TransferTarget
from tickets.exceptions import AssigneeUnfit, MergeRefused
from tickets.models import Tag, Ticket
from tickets.models.routing import CAPACITY_MOST
from tickets.selectors.agents import agent_of
from tickets.services.assignment import ticket_transfer
from tickets.services.merging import ticket_merge
from tickets.services.routing import availability_set
from tickets.services.tags import ticket_tags_set
from tickets.states import WORKING_ROLES


class AvailabilitySerializer(serializers.Serializer[Any]):
    """Whether one takes tickets, how many at a time, and how many one has now."""

    is_accepting = serializers.BooleanField()
    capacity = serializers.IntegerField(min_value=1, max_value=CAPACITY_MOST, required=False)
    load = serializers.IntegerField(read_only=True)


class TransferSerializer(serializers.Serializer[Any]):
    """Where the ticket goes, and why; the reason is for colleagues only."""

    target = serializers.ChoiceField(choices=TransferTarget.choices)
    reason = serializers.CharField(max_length=2000)


class MergeSerializer(serializers.Serializer[Any]):
    """The number of the ticket that goes on."""

    into = serializers.CharField(max_length=20)


class TagsSerializer(serializers.Serializer[Any]):
    """The codes of the ticket's tags, all of them."""

    tags = serializers.SlugRelatedField(slug_field="code", many=True, queryset=Tag.objects.all())


class DeskView(APIView):
    """Base: for those who work tickets."""

    permission_classes = (IsStaff,)
    staff_roles = tuple(sorted(WORKING_ROLES))

    def ticket(self, number: str) -> Ticket:
        """Return the ticket of a number. Raises Http404."""
        return get_object_or_404(Ticket.objects.defer("search"), number=number)

    def given(self, request: Request) -> dict[str, Any]:
        """Return who acts, and when."""
        return {"actor": actor_of(request._request), "at": clock.now()}

    def answer(self, ticket: Ticket) -> Response:
        """Return the ticket as it is now."""
        rows = Ticket.objects.defer("search").select_related("product_line", "category", "assignee")
        return Response(TicketSerializer(rows.get(pk=ticket.pk)).data)


class AvailabilityView(DeskView):
    """Whether the person who asks takes tickets."""

    @extend_schema(responses=AvailabilitySerializer)
    def get(self, request: Request) -> Response:
        """Return the state and the load."""
        return self._state(request)

    @extend_schema(request=AvailabilitySerializer, responses=AvailabilitySerializer)
    def put(self, request: Request) -> Response:
        """Start or stop taking tickets. A capacity that is left out stays."""
        data = AvailabilitySerializer(data=request.data)
        data.is_valid(raise_exception=True)
        availability_set(
            staff_member_id=self._card(request).pk,
            is_accepting=data.validated_data["is_accepting"],
            capacity=data.validated_data.get("capacity"),
            **self.given(request),
        )
        return self._state(request)

    def _card(self, request: Request) -> Any:
        card = identity_of(request).staff
        if card is None:
            raise AssigneeUnfit
        return card

    def _state(self, request: Request) -> Response:
        return Response(AvailabilitySerializer(agent_of(self._card(request))).data)


class TransferView(DeskView):
    """Give a ticket to engineers or another desk."""

    @extend_schema(request=TransferSerializer, responses=TicketSerializer)
    def post(self, request: Request, number: str) -> Response:
        """Transfer the ticket; the worker deals it to who is free there."""
        ticket = self.ticket(number)
        data = TransferSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        ticket_transfer(
            ticket_id=ticket.pk,
            target=TransferTarget(data.validated_data["target"]),
            reason=data.validated_data["reason"],
            **self.given(request),
        )
        return self.answer(ticket)


class MergeView(DeskView):
    """Merge a ticket into another of the same customer."""

    @extend_schema(request=MergeSerializer, responses=TicketSerializer)
    def post(self, request: Request, number: str) -> Response:
        """Merge the ticket and return the one that goes on."""
        ticket = self.ticket(number)
        data = MergeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        target = Ticket.objects.filter(number=data.validated_data["into"]).first()
        if target is None:
            raise MergeRefused(field="into")
        merged = ticket_merge(ticket_id=ticket.pk, into_id=target.pk, **self.given(request))
        return self.answer(merged)


class TagsView(DeskView):
    """Tag a ticket."""

    @extend_schema(request=TagsSerializer, responses=TagsSerializer)
    def put(self, request: Request, number: str) -> Response:
        """Give the ticket exactly these tags."""
        ticket = self.ticket(number)
        data = TagsSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        chosen = data.validated_data["tags"]
        ticket_tags_set(
            ticket_id=ticket.pk, tag_ids=[tag.pk for tag in chosen], **self.given(request)
        )
        return Response({"tags": [tag.code for tag in chosen]})
