"""What the API says about tickets. Notes have no serializer here: they never leave by it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from typing_extensions import override

from core.exceptions import DomainError
from core.files import validate_upload
from supportplans.models import ProductLine
from tickets.models import (
    Clock,
    RequirementStep,
    Ticket,
    TicketCategory,
    TicketMessage,
    Watcher,
)
from tickets.selectors.conversations import ENTRIES_SHOWN, clocks_of, messages_of
from tickets.selectors.requirements import track_of
from tickets.selectors.watchers import watchers_of
from tickets.services.attachments import FILES_MAX
from tickets.services.messages import BODY_MAX
from tickets.states import Effect, RatingReason, TicketKind


class ClockSerializer(serializers.ModelSerializer[Clock]):
    """A response clock: what was promised, and how it was kept."""

    class Meta:
        model = Clock
        fields = (
            "kind",
            "instance",
            "promised",
            "target_minutes",
            "started_at",
            "due_at",
            "stopped_at",
            "outcome",
        )


class MessageSerializer(serializers.ModelSerializer[TicketMessage]):
    """One public message."""

    author = serializers.CharField(source="actor_name")
    author_title = serializers.CharField(source="actor_title")
    attachments = serializers.SerializerMethodField()

    class Meta:
        model = TicketMessage
        fields = (
            "id",
            "body",
            "is_staff",
            "author",
            "author_title",
            "created_at",
            "recalled_at",
            "attachments",
        )

    def get_attachments(self, message: TicketMessage) -> list[dict[str, Any]]:
        """Return the files' names, sizes, digests and what the scanner said; none of a recalled message."""
        if message.recalled_at is not None:
            return []
        return [row.facts() for row in message.attachments.all()]


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    """A ticket in a list."""

    product_line = serializers.CharField(source="product_line.code", default=None)
    category = serializers.CharField(source="category.code", default=None)
    assignee = serializers.CharField(source="assignee.display_name", default=None)
    merged_into = serializers.CharField(source="merged_number", default=None)

    class Meta:
        model = Ticket
        fields: tuple[str, ...] = (
            "number",
            "title",
            "kind",
            "severity",
            "effect",
            "state",
            "product_line",
            "category",
            "resource",
            "assignee",
            "created_at",
            "due_at",
            "first_response_at",
            "resolved_at",
            "closed_at",
            "merged_into",
        )


class RequirementStepSerializer(serializers.ModelSerializer[RequirementStep]):
    """One step of a requirement's track; ``planned_for`` is the day by which it is planned."""

    class Meta:
        model = RequirementStep
        fields = ("stage", "planned_for", "comment", "created_at")


class TicketDetailSerializer(TicketSerializer):
    """A ticket with its conversation, its clocks, and for a requirement its track."""

    messages = serializers.SerializerMethodField()
    clocks = serializers.SerializerMethodField()
    requirement = serializers.SerializerMethodField()
    watchers = serializers.SerializerMethodField()

    class Meta(TicketSerializer.Meta):
        fields: tuple[str, ...] = (
            *TicketSerializer.Meta.fields,
            "urged_at",
            "messages",
            "clocks",
            "requirement",
            "watchers",
        )

    @extend_schema_field(MessageSerializer(many=True))
    def get_messages(self, ticket: Ticket) -> Any:
        """Return the newest messages of the conversation, oldest first."""
        rows = messages_of(ticket)[:ENTRIES_SHOWN]
        return MessageSerializer(list(reversed(rows)), many=True).data

    @extend_schema_field(ClockSerializer(many=True))
    def get_clocks(self, ticket: Ticket) -> Any:
        """Return the ticket's clocks, oldest first."""
        return ClockSerializer(clocks_of(ticket), many=True).data

    @extend_schema_field(RequirementStepSerializer(many=True))
    def get_requirement(self, ticket: Ticket) -> Any:
        """Return the track of a requirement, oldest first; nothing for other kinds."""
        is_wish = ticket.kind == TicketKind.REQUIREMENT
        return RequirementStepSerializer(track_of(ticket) if is_wish else [], many=True).data

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_watchers(self, ticket: Ticket) -> Any:
        """Return who follows the ticket."""
        return WatcherSerializer(watchers_of(ticket), many=True).data


class FilesMixin(serializers.Serializer[Any]):
    """Files of a request in multipart form."""

    attachments = serializers.ListField(
        child=serializers.FileField(), required=False, max_length=FILES_MAX
    )

    def validate_attachments(self, files: list[Any]) -> list[Any]:
        """Check each file by its content."""
        for upload in files:
            try:
                validate_upload(upload)
            except DomainError as error:
                raise serializers.ValidationError(str(error.message), code=error.code) from error
        return files


class TicketSubmitSerializer(FilesMixin):
    """A new ticket; the severity follows from the effect."""

    title = serializers.CharField(max_length=200)
    body = serializers.CharField(max_length=BODY_MAX)
    effect = serializers.ChoiceField(choices=Effect.choices)
    kind = serializers.ChoiceField(choices=TicketKind.choices, default=TicketKind.TECHNICAL)
    product_line = serializers.SlugRelatedField(
        slug_field="code", queryset=ProductLine.objects.all()
    )
    category = serializers.SlugRelatedField(
        slug_field="code",
        queryset=TicketCategory.objects.filter(is_active=True),
        required=False,
        allow_null=True,
        default=None,
    )
    resource = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    follows = serializers.CharField(
        max_length=20,
        required=False,
        allow_null=True,
        default=None,
        help_text="The number of an own earlier ticket that this one takes up again.",
    )

    @override
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Turn the effect into its severity as well."""
        effect = Effect(attrs["effect"])
        return {
            **attrs,
            "effect": effect,
            "severity": effect.severity,
            "kind": TicketKind(attrs["kind"]),
        }


class ReopeningSerializer(FilesMixin):
    """What is not solved."""

    body = serializers.CharField(max_length=BODY_MAX)


class TicketRatingSerializer(serializers.Serializer[Any]):
    """One to five stars with reasons and a comment."""

    score = serializers.IntegerField(min_value=1, max_value=5)
    reasons = serializers.MultipleChoiceField(choices=RatingReason.choices, required=False)
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class WatcherSerializer(serializers.ModelSerializer[Watcher]):
    """A colleague who follows a ticket."""

    class Meta:
        model = Watcher
        fields = ("user", "name", "created_at")
        read_only_fields = ("name", "created_at")


class ReplySerializer(FilesMixin):
    """A public reply. ``wait`` (staff only) hands the turn to the customer, never without words."""

    body = serializers.CharField(max_length=BODY_MAX)
    wait = serializers.BooleanField(default=False)
