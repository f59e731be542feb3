"""Tickets, their categories and what happened to them (domain.md §5)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.models import StaffMember
from accounts.models.users import EngineerTier
from core.models import Attributed, TenantOwned, Timestamped
from supportplans.models import ProductLine
from supportplans.states import PlanCode, Severity
from tickets.followup import urge_waits
from tickets.queueing import Standing
from tickets.states import (
    DONE_STATES,
    OPEN_STATES,
    TICKET_MOVES,
    Desk,
    Effect,
    TicketEventKind,
    TicketKind,
    TicketState,
)


class TicketCategory(models.Model):
    """What a ticket is about, per kind and, where it matters, product line. Data that operators edit."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=60)
    name_en = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=TicketKind.choices)
    product_line = models.ForeignKey(
        ProductLine, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("问题分类")
        verbose_name_plural = _("问题分类")
        ordering: ClassVar = ["kind", "position"]

    @override
    def __str__(self) -> str:
        return self.name_en if (get_language() or "").startswith("en") else self.name


class Ticket(TenantOwned, Timestamped, Attributed):
    """One concern of a customer. ``created_at`` is the instant of receipt; the attributed person is who submitted it.

    ``plan_code``, ``assurance_level``, ``restore_priority`` and with them ``queue_rank`` say what is in force now, kept
    here so that the queue is one index (``is_linked``: the priority may be a principal's); ``due_at`` is the due
    instant of the running clock, empty when none runs.
    """

    number = models.CharField(max_length=20)
    kind = models.CharField(max_length=20, choices=TicketKind.choices)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    effect = models.CharField(max_length=20, choices=Effect.choices, blank=True, default="")
    state = models.CharField(max_length=20, choices=TicketState.choices, default=TicketState.NEW)
    title = models.CharField(_("标题"), max_length=200)
    category = models.ForeignKey(
        TicketCategory,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    product_line = models.ForeignKey(
        ProductLine,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    resource = models.CharField(_("涉及资源"), max_length=120, blank=True, default="")
    idempotency_key = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001  (empty is not unique)

    desk = models.CharField(max_length=10, choices=Desk.choices)
    # Who has to have it: empty is the desk that answers, else engineers of the tier. The VIP desk may lend itself.
    tier = models.CharField(max_length=20, choices=EngineerTier.choices, blank=True, default="")
    lent_to_vip = models.BooleanField(default=False)
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="merged",
        db_index=False,
    )
    assignee = models.ForeignKey(
        StaffMember,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    plan_code = models.CharField(max_length=20, choices=PlanCode.choices)
    assurance_level = models.PositiveSmallIntegerField(null=True, blank=True)
    restore_priority = models.PositiveSmallIntegerField()
    is_linked = models.BooleanField(default=False)
    queue_rank = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField(null=True, blank=True)

    last_message_at = models.DateTimeField()
    last_author = models.CharField(max_length=100, blank=True, default="")
    last_is_staff = models.BooleanField(default=False)
    first_response_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    urged_at = models.DateTimeField(null=True, blank=True)

    search = SearchVectorField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("工单")
        verbose_name_plural = _("工单")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "number"], name="ticket_number_once"),
            models.UniqueConstraint(
                fields=["tenant", "idempotency_key"], name="ticket_once_per_submission"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["number"], name="ticket_by_number"),
            models.Index(fields=["tenant", "-created_at", "-id"], name="ticket_by_tenant"),
            models.Index(
                fields=["queue_rank", "due_at", "id"],
                condition=Q(due_at__isnull=False),
                name="ticket_queue",
            ),
            models.Index(
                fields=["desk", "queue_rank", "due_at", "id"],
                condition=Q(due_at__isnull=False),
                name="ticket_queue_of_desk",
            ),
            # What is late, and what will be in half an hour.
            models.Index(
                fields=["due_at", "desk"],
                condition=Q(due_at__isnull=False),
                name="ticket_due",
            ),
            models.Index(
                fields=["queue_rank", "due_at", "id"],
                condition=Q(state__in=OPEN_STATES, assignee__isnull=True),
                name="ticket_unassigned",
            ),
            models.Index(
                fields=["merged_into"],
                condition=Q(merged_into__isnull=False),
                name="ticket_merged",
            ),
            models.Index(
                fields=["assignee", "queue_rank", "due_at", "id"],
                condition=Q(state__in=OPEN_STATES),
                name="ticket_of_assignee",
            ),
            models.Index(
                fields=["desk", "-last_message_at", "-id"],
                condition=Q(state__in=OPEN_STATES, due_at__isnull=True),
                name="ticket_in_work",
            ),
            models.Index(
                fields=["desk", "-resolved_at", "-id"],
                condition=Q(state__in=DONE_STATES),
                name="ticket_done",
            ),
            # Leads look at both desks at once.
            models.Index(
                fields=["-last_message_at", "-id"],
                condition=Q(state__in=OPEN_STATES, due_at__isnull=True),
                name="ticket_in_work_all",
            ),
            models.Index(
                fields=["-resolved_at", "-id"],
                condition=Q(state__in=DONE_STATES),
                name="ticket_done_all",
            ),
            models.Index(
                fields=["tenant"],
                condition=Q(state__in=OPEN_STATES),
                name="ticket_open_of_tenant",
            ),
            models.Index(
                fields=["tenant"],
                condition=Q(state__in=OPEN_STATES, assurance_level__isnull=False),
                name="ticket_in_window",
            ),
            models.Index(
                fields=["closes_at"],
                condition=Q(closes_at__isnull=False),
                name="ticket_to_close",
            ),
            # For figures over months: tickets lie on the disk nearly in the order in which they came.
            BrinIndex(fields=["created_at"], name="ticket_by_time", autosummarize=True),
            GinIndex(fields=["search"], name="ticket_search"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the customer's page of the ticket."""
        return reverse("tickets:ticket_detail", args=[self.number])

    def can_become(self, state: str) -> bool:
        """Return True if the transition table allows the move."""
        return state in TICKET_MOVES[self.state]

    @property
    def is_open(self) -> bool:
        """Return True until staff gave a solution or the ticket is closed."""
        return self.state in OPEN_STATES

    @property
    def is_urged(self) -> bool:
        """Return True from the customer's urge (催单) until staff answers."""
        return self.is_open and urge_waits(
            urged=self.urged_at,
            last_message=self.last_message_at,
            last_is_staff=self.last_is_staff,
        )

    @property
    def state_enum(self) -> TicketState:
        """Return the state with its label, colour and turn."""
        return TicketState(self.state)

    @property
    def standing(self) -> Standing:
        """Return what decides the ticket's place in the queue."""
        return Standing(
            self.assurance_level, self.severity, self.restore_priority, linked=self.is_linked
        )


class TicketEvent(TenantOwned, Timestamped, Attributed):
    """One line of the ticket's history. Append-only; everything here may be read by the customer."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20, choices=TicketEventKind.choices)
    details: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("工单记录")
        verbose_name_plural = _("工单记录")
        ordering: ClassVar = ["created_at", "id"]

    @override
    def __str__(self) -> str:
        return f"{self.kind} {self.created_at:%Y-%m-%d %H:%M:%S}"
