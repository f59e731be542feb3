"""What the API shows of service orders."""

from __future__ import annotations

from typing import ClassVar

from rest_framework import serializers

from servicedesk.models import Deliverable, ServiceOrder, ServiceOrderRating
from servicedesk.models.deliverables import SUGGESTION_MAX

STARS_MAX = 5


class DeliverableSerializer(serializers.ModelSerializer[Deliverable]):
    """A file of a service order."""

    class Meta:
        model = Deliverable
        fields: ClassVar = [
            "id",
            "kind",
            "name",
            "version",
            "size",
            "sha256",
            "created_at",
            "confirmed_at",
        ]


class ServiceOrderSerializer(serializers.ModelSerializer[ServiceOrder]):
    """A service order in a list."""

    item = serializers.CharField(source="item.code", read_only=True)

    class Meta:
        model = ServiceOrder
        fields: ClassVar = [
            "number",
            "item",
            "scenario",
            "origin",
            "contact",
            "delivery",
            "fields",
            "state",
            "reason",
            "created_at",
            "completed_at",
        ]


class ServiceOrderDetailSerializer(ServiceOrderSerializer):
    """A service order with its files."""

    deliverables = DeliverableSerializer(many=True, read_only=True)

    class Meta(ServiceOrderSerializer.Meta):
        fields: ClassVar = [*ServiceOrderSerializer.Meta.fields, "deliverables"]


class RatingSerializer(serializers.ModelSerializer[ServiceOrderRating]):
    """A rating of a service order."""

    speed = serializers.IntegerField(min_value=1, max_value=STARS_MAX)
    quality = serializers.IntegerField(min_value=1, max_value=STARS_MAX)
    suggestion = serializers.CharField(max_length=SUGGESTION_MAX, allow_blank=True, default="")

    class Meta:
        model = ServiceOrderRating
        fields: ClassVar = ["speed", "quality", "suggestion"]
