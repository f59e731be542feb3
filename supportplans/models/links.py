"""Linked accounts 关联账号: what a principal shares of its restore priority (domain.md §6)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.models import Attributed, TenantOwned, Timestamped
from supportplans.states import LINK_MOVES, LINK_OPEN_STATES, LinkEnd, LinkSide, LinkState


class AccountLink(TenantOwned, Timestamped, Attributed):
    """One account's side of a link. Each account has a row of its own and sees nothing of the other's.

    ``pair`` joins the two sides; the worker carries what one side does over to the other (``told`` is False until
    then). ``account_id`` is the other account's public id, as the principal gave it; ``name`` is what the principal
    calls the account until it has accepted, then the account's own name. ``restore_priority`` is the principal's,
    kept on the linked account's side while the link runs: a customer's transaction cannot read the principal's plan.
    """

    side = models.CharField(max_length=10, choices=LinkSide.choices)
    pair = models.UUIDField()
    account_id = models.UUIDField(_("账号 ID"))
    name = models.CharField(_("账号名称"), max_length=100)
    state = models.CharField(
        _("状态"), max_length=10, choices=LinkState.choices, default=LinkState.PROPOSED
    )
    restore_priority = models.PositiveSmallIntegerField(null=True, blank=True)
    told = models.BooleanField(default=False)
    answer = models.CharField(_("处理意见"), max_length=500, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=100, blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(
        max_length=12, choices=LinkEnd.choices, blank=True, default=LinkEnd.NONE
    )

    class Meta:
        verbose_name = _("关联账号")
        verbose_name_plural = _("关联账号")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "pair"], name="link_one_side_each"),
            models.UniqueConstraint(
                fields=["tenant", "account_id"],
                condition=Q(side=LinkSide.PRINCIPAL, state__in=LINK_OPEN_STATES),
                name="link_proposed_once",
            ),
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(side=LinkSide.LINKED, state__in=(LinkState.ACCEPTED, LinkState.ACTIVE)),
                name="link_one_principal",
            ),
            models.CheckConstraint(
                condition=Q(side=LinkSide.PRINCIPAL)
                | ~Q(state=LinkState.ACTIVE)
                | Q(restore_priority__isnull=False),
                name="link_active_has_priority",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["pair"], name="link_by_pair"),
            models.Index(fields=["id"], condition=Q(told=False), name="link_to_tell"),
            models.Index(
                fields=["created_at"],
                condition=Q(side=LinkSide.PRINCIPAL, state=LinkState.PROPOSED),
                name="link_waiting",
            ),
            models.Index(
                fields=["id"],
                condition=Q(side=LinkSide.PRINCIPAL, state=LinkState.ACCEPTED),
                name="link_to_decide",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.name} {self.state}"

    @property
    def is_open(self) -> bool:
        """Return True while the link runs or may still come to run."""
        return self.state in LINK_OPEN_STATES

    @property
    def key(self) -> str:
        """Return what tells the row from others in ids of a page."""
        return str(self.pk)

    @property
    def state_enum(self) -> LinkState:
        """Return the state with its label and colour."""
        return LinkState(self.state)

    def can_become(self, state: str) -> bool:
        """Return True if the transition table allows the move."""
        return state in LINK_MOVES[self.state]
