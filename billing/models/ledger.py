"""The account book: append-only, balanced by the database (migration ``0003_ledger_rules``).

A transaction's legs sum to zero. An account's balance follows its legs by a trigger and by nothing else; what a
customer owns is never negative.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from billing.models.orders import Order
from billing.states import NEVER_NEGATIVE, AccountKind, HoldState, PostingKind
from core.models import Attributed, TenantOwned, Timestamped


class LedgerAccount(TenantOwned):
    """One account of a tenant's book with its balance in CNY."""

    kind = models.CharField(_("账户"), max_length=12, choices=AccountKind.choices)
    balance = models.DecimalField(
        _("余额"), max_digits=14, decimal_places=2, default=Decimal("0.00")
    )

    class Meta:
        verbose_name = _("账户")
        verbose_name_plural = _("账户")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "kind"], name="ledger_account_once"),
            models.CheckConstraint(
                condition=~Q(kind__in=NEVER_NEGATIVE) | Q(balance__gte=0),
                name="ledger_balance_not_negative",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.balance}"


class LedgerTransaction(TenantOwned, Timestamped, Attributed):
    """One posting: why money moved. It names its order or its operator."""

    kind = models.CharField(_("类型"), max_length=12, choices=PostingKind.choices)
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.PROTECT, related_name="postings"
    )
    note = models.CharField(_("备注"), max_length=100, blank=True, default="")

    class Meta:
        verbose_name = _("账目")
        verbose_name_plural = _("账目")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(order__isnull=False) | Q(actor__isnull=False),
                name="posting_names_order_or_operator",
            ),
            # The note of a top-up is the bank's reference: the same transfer is booked once.
            models.UniqueConstraint(
                fields=["tenant", "note"],
                condition=Q(kind=PostingKind.TOP_UP) & ~Q(note=""),
                name="top_up_once_per_reference",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-id"], name="posting_by_tenant"),
            models.Index(fields=["tenant", "order"], name="posting_by_order"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.created_at:%Y-%m-%d %H:%M}"


class LedgerLeg(TenantOwned):
    """One side of a posting. A positive amount arrives at the account, a negative one leaves it."""

    transaction = models.ForeignKey(
        LedgerTransaction, on_delete=models.PROTECT, related_name="legs"
    )
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="legs")
    amount = models.DecimalField(_("金额"), max_digits=14, decimal_places=2)

    class Meta:
        verbose_name = _("分录")
        verbose_name_plural = _("分录")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "transaction", "account"], name="ledger_leg_once_per_account"
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="ledger_leg_moves_something"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.amount:+}"


class BalanceHold(TenantOwned, Timestamped):
    """A part of the balance that an open order keeps from being spent twice."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="holds")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    state = models.CharField(max_length=10, choices=HoldState.choices, default=HoldState.HELD)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("余额占用")
        verbose_name_plural = _("余额占用")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "order"],
                condition=Q(state=HoldState.HELD),
                name="balance_hold_one_per_order",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="balance_hold_of_something"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.amount} {self.state}"
