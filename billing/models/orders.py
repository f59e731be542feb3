"""Orders, their history and the acceptance of the agreement (domain.md §4)."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from typing_extensions import override

from billing.states import (
    OPEN_ORDER_STATES,
    ORDER_MOVES,
    TO_PROVISION_STATES,
    OrderOrigin,
    OrderState,
    OrderType,
    UnsubscribeReason,
)
from core.models import Attributed, TenantOwned, Timestamped
from core.money import ZERO
from supportplans.models import Agreement, Plan, Subscription

NEEDS_PAID_AT = (
    OrderState.PAID,
    OrderState.PROVISIONING,
    OrderState.COMPLETED,
    OrderState.REFUNDED,
)


class Order(TenantOwned, Timestamped, Attributed):
    """Something a customer wants, at a frozen price. CNY, two places.

    ``amount`` is the list price; what is left after coupon, voucher and balance is due at the cashier. An order that
    gives money back costs nothing and has a ``refund_amount``.
    """

    number = models.CharField(_("订单号"), max_length=20)
    type = models.CharField(_("订单类型"), max_length=12, choices=OrderType.choices)
    state = models.CharField(
        _("状态"), max_length=12, choices=OrderState.choices, default=OrderState.PENDING
    )
    # A top-up has no plan and no term.
    plan = models.ForeignKey(
        Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    years = models.PositiveSmallIntegerField(null=True, blank=True)
    paid_days = models.PositiveSmallIntegerField(null=True, blank=True)
    monthly = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    amount = models.DecimalField(_("订单金额"), max_digits=12, decimal_places=2)
    coupon_amount = models.DecimalField(
        _("优惠券"), max_digits=12, decimal_places=2, default=Decimal("0.00")
    )
    voucher_amount = models.DecimalField(
        _("代金券"), max_digits=12, decimal_places=2, default=Decimal("0.00")
    )
    balance_amount = models.DecimalField(
        _("账户余额"), max_digits=12, decimal_places=2, default=Decimal("0.00")
    )
    # What a downgrade or leaving gives back, by method as the rules split it; ``to_balance``: the customer prefers the
    # balance, also for what came by the cashier.
    refund_amount = models.DecimalField(
        _("应退金额"), max_digits=12, decimal_places=2, default=Decimal("0.00")
    )
    refund_to = models.JSONField(default=dict)
    to_balance = models.BooleanField(default=False)
    is_free_return = models.BooleanField(default=False)
    from_plan = models.ForeignKey(
        Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(
        _("退订原因"), max_length=20, choices=UnsubscribeReason.choices, blank=True, default=""
    )
    reason_text = models.CharField(max_length=200, blank=True, default="")
    origin = models.CharField(
        max_length=12, choices=OrderOrigin.choices, default=OrderOrigin.CUSTOMER
    )
    # The arithmetic as it was shown: [{"rule", "formula", "amount"}].
    explanation = models.JSONField(default=list)
    pays_until = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()
    # The end that the order goes to once its open attempts are closed at the provider.
    closing_to = models.CharField(max_length=12, choices=OrderState.choices, blank=True, default="")
    subscription = models.ForeignKey(
        Subscription, null=True, blank=True, on_delete=models.PROTECT, related_name="orders"
    )
    idempotency_key = models.CharField(max_length=80)
    # Grows with everything that a page shows of the order: live pages ask for what is newer.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("订单")
        verbose_name_plural = _("订单")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "number"], name="order_number_once"),
            models.UniqueConstraint(
                fields=["tenant", "idempotency_key"], name="order_once_per_key"
            ),
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(state__in=OPEN_ORDER_STATES) & ~Q(type=OrderType.TOP_UP),
                name="order_one_open_per_account",
            ),
            models.CheckConstraint(
                condition=Q(
                    amount__gte=0,
                    coupon_amount__gte=0,
                    voucher_amount__gte=0,
                    balance_amount__gte=0,
                    refund_amount__gte=0,
                ),
                name="order_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(
                    amount__gte=F("coupon_amount") + F("voucher_amount") + F("balance_amount")
                ),
                name="order_not_overpaid",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=NEEDS_PAID_AT) | Q(paid_at__isnull=False),
                name="order_paid_has_instant",
            ),
            models.CheckConstraint(
                condition=~Q(state=OrderState.COMPLETED) | Q(completed_at__isnull=False),
                name="order_completed_has_instant",
            ),
            models.CheckConstraint(
                condition=Q(amount=0) | Q(refund_amount=0), name="order_charges_or_refunds"
            ),
            models.CheckConstraint(
                condition=Q(pays_until__gt=F("created_at")), name="order_payable_for_a_while"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-id"], name="order_by_tenant"),
            # Staff looks for a number whoever's it is.
            models.Index(fields=["number"], name="order_by_number"),
            models.Index(
                fields=["tenant", "completed_at"],
                condition=Q(state=OrderState.COMPLETED),
                name="order_completed",
            ),
            models.Index(
                fields=["pays_until"], condition=Q(state=OrderState.PENDING), name="order_to_expire"
            ),
            models.Index(
                fields=["updated_at"],
                condition=Q(state__in=TO_PROVISION_STATES),
                name="order_to_provision",
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        """Return the customer's page of the order."""
        return reverse("billing:order_detail", args=[self.number])

    @property
    def due(self) -> Decimal:
        """Return what is left to pay at the cashier, in CNY."""
        return self.amount - self.coupon_amount - self.voucher_amount - self.balance_amount

    @property
    def is_free(self) -> bool:
        """Return True when nothing is left to pay."""
        return self.due == ZERO

    @property
    def gives_back(self) -> bool:
        """Return True for an order that charges nothing and may give money back."""
        return self.type in {OrderType.DOWNGRADE, OrderType.UNSUBSCRIBE}

    @property
    def refund_parts(self) -> list[tuple[str, Decimal]]:
        """Return where the money goes, in CNY: by method, or all of it to the balance."""
        if self.to_balance and self.refund_amount:
            return [("balance", self.refund_amount)]
        return [(method, Decimal(part)) for method, part in sorted(self.refund_to.items())]

    @property
    def cycle(self) -> str:
        """Return the cycle as order pages show it: years of a term, days of a change."""
        if self.years:
            return ngettext("%(years)d 年", "%(years)d 年", self.years) % {"years": self.years}
        if self.paid_days is not None:
            return ngettext("%(days)d 天", "%(days)d 天", self.paid_days) % {"days": self.paid_days}
        return ""

    @property
    def is_payable(self) -> bool:
        """Return True while the customer can pay."""
        return self.state == OrderState.PENDING and not self.closing_to

    @property
    def is_moving(self) -> bool:
        """Return True while the worker still has something to do: pages look again by themselves."""
        settling = self.state == OrderState.PENDING and (bool(self.closing_to) or self.is_free)
        return self.state in TO_PROVISION_STATES or settling

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return OrderState(self.state).colour

    def can_become(self, state: str) -> bool:
        """Return True if the transition table allows the move."""
        return state in ORDER_MOVES[self.state]


class OrderEvent(TenantOwned, Timestamped, Attributed):
    """One line of an order's history."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="history")
    from_state = models.CharField(max_length=12, choices=OrderState.choices, blank=True, default="")
    to_state = models.CharField(max_length=12, choices=OrderState.choices)
    note = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        verbose_name = _("订单记录")
        verbose_name_plural = _("订单记录")
        indexes: ClassVar = [models.Index(fields=["tenant", "order", "id"], name="order_history")]

    @override
    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class AgreementAcceptance(TenantOwned, Timestamped, Attributed):
    """Who accepted which version of the service agreement, when and from where."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="acceptances")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="+")
    version = models.CharField(max_length=20)
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        verbose_name = _("协议接受记录")
        verbose_name_plural = _("协议接受记录")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "order"], name="agreement_accepted_once_per_order"
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.version} {self.actor_name}"
