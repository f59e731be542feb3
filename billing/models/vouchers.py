"""Coupons lower a price, vouchers pay it (domain.md §4)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from billing.discounts import CouponTerms
from billing.models.orders import Order
from billing.states import COUPON_MOVES, CouponKind, CouponState, HoldState, OrderType
from core.models import Attributed, TenantOwned, Timestamped
from supportplans.states import PlanCode


class Coupon(Timestamped, Attributed):
    """The terms of a coupon. They do not change once it was granted; amounts in CNY.

    ``value`` is CNY off (fixed) or percent off, with a ``cap``. Empty ``plans`` and ``order_types`` mean all. What
    granted coupons can still take is reserved from the ``budget``.
    """

    code = models.CharField(_("编号"), max_length=32, unique=True)
    name = models.CharField(_("名称"), max_length=60)
    kind = models.CharField(_("类型"), max_length=10, choices=CouponKind.choices)
    value = models.DecimalField(_("面额或折扣比例"), max_digits=12, decimal_places=2)
    cap = models.DecimalField(_("最高优惠"), max_digits=12, decimal_places=2, null=True, blank=True)
    min_spend = models.DecimalField(
        _("最低消费"), max_digits=12, decimal_places=2, default=Decimal("0.00")
    )
    plans = models.JSONField(_("适用级别"), default=list, blank=True)
    order_types = models.JSONField(_("适用订单"), default=list, blank=True)
    valid_from = models.DateTimeField(_("生效时间"))
    valid_until = models.DateTimeField(_("失效时间"))
    budget = models.DecimalField(_("预算"), max_digits=12, decimal_places=2, null=True, blank=True)
    reserved = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal("0.00"))

    class Meta:
        verbose_name = _("优惠券")
        verbose_name_plural = _("优惠券")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(value__gt=0), name="coupon_takes_something_off"),
            models.CheckConstraint(
                condition=~Q(kind=CouponKind.PERCENT) | Q(value__lte=100, cap__isnull=False),
                name="coupon_percent_has_cap",
            ),
            models.CheckConstraint(
                condition=Q(budget=None) | Q(reserved__lte=F("budget")), name="coupon_within_budget"
            ),
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("valid_from")), name="coupon_valid_for_a_while"
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def most(self) -> Decimal:
        """Return the most that one grant can take off, in CNY."""
        return self.value if self.kind == CouponKind.FIXED else self.cap or Decimal("0.00")

    @property
    def scope(self) -> str:
        """Return in words where the coupon applies."""
        types = [str(OrderType(code).label) for code in self.order_types]
        plans = [str(PlanCode(code).label) for code in self.plans]
        parts = [gettext("、").join(part) for part in (types, plans) if part]
        return " · ".join(parts) or gettext("全部订单")

    @property
    def terms(self) -> CouponTerms:
        """Return the coupon as the pricing rules see it."""
        return CouponTerms(
            kind=self.kind,
            value=self.value,
            cap=self.cap,
            min_spend=self.min_spend,
            plans=tuple(self.plans),
            order_types=tuple(self.order_types),
            valid_from=self.valid_from,
            valid_until=self.valid_until,
        )


class CouponGrant(TenantOwned, Timestamped, Attributed):
    """A coupon in a customer's hands, good for one order.

    ``order`` is the one that holds or used it. A coupon that is available again still names the order that died with
    it, so that a payment which was in time after all finds it.
    """

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="grants")
    state = models.CharField(
        _("状态"), max_length=10, choices=CouponState.choices, default=CouponState.AVAILABLE
    )
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.PROTECT, related_name="coupon_grants"
    )
    amount = models.DecimalField(
        _("已优惠"), max_digits=12, decimal_places=2, default=Decimal("0.00")
    )
    # The same line of an import, or a double click, grants once.
    key = models.CharField(max_length=80)

    class Meta:
        verbose_name = _("优惠券发放")
        verbose_name_plural = _("优惠券发放")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "key"], name="coupon_granted_once_per_key"),
            models.UniqueConstraint(
                fields=["tenant", "order"],
                condition=Q(state__in=[CouponState.HELD, CouponState.USED]),
                name="coupon_one_per_order",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "state"], name="coupon_by_tenant"),
            models.Index(fields=["coupon", "-id"], name="coupon_grants"),
            models.Index(
                fields=["coupon"],
                condition=Q(state=CouponState.AVAILABLE),
                name="coupon_to_expire",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.coupon_id} {self.state}"

    def can_become(self, state: str) -> bool:
        """Return True if the transition table allows the move."""
        return state in COUPON_MOVES[self.state]

    def is_held_by(self, order: Order) -> bool:
        """Return True while this order keeps the coupon."""
        return self.state == CouponState.HELD and self.order_id == order.pk

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return CouponState(self.state).colour


class Voucher(TenantOwned, Timestamped, Attributed):
    """Money of a kind that only pays orders, with a validity. ``balance`` is what is neither used nor held, CNY."""

    number = models.CharField(_("代金券编号"), max_length=20)
    name = models.CharField(_("名称"), max_length=60)
    amount = models.DecimalField(_("面额"), max_digits=12, decimal_places=2)
    balance = models.DecimalField(_("余额"), max_digits=12, decimal_places=2)
    valid_from = models.DateTimeField(_("生效时间"))
    valid_until = models.DateTimeField(_("失效时间"))
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    key = models.CharField(max_length=80)

    class Meta:
        verbose_name = _("代金券")
        verbose_name_plural = _("代金券")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "number"], name="voucher_number_once"),
            models.UniqueConstraint(fields=["tenant", "key"], name="voucher_granted_once_per_key"),
            models.CheckConstraint(
                condition=Q(balance__gte=0, balance__lte=F("amount")),
                name="voucher_balance_in_range",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("valid_from")), name="voucher_valid_for_a_while"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "valid_until"], name="voucher_by_tenant"),
            models.Index(fields=["-id"], name="voucher_newest"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.number} {self.balance}"

    def is_valid(self, at: datetime) -> bool:
        """Return True while the voucher may pay."""
        return self.withdrawn_at is None and self.valid_from <= at < self.valid_until


class VoucherUse(TenantOwned, Timestamped):
    """A part of a voucher that pays an order."""

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="uses")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="voucher_uses")
    amount = models.DecimalField(_("金额"), max_digits=12, decimal_places=2)
    state = models.CharField(max_length=10, choices=HoldState.choices, default=HoldState.HELD)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("代金券使用")
        verbose_name_plural = _("代金券使用")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "voucher", "order"],
                condition=Q(state__in=[HoldState.HELD, HoldState.CAPTURED]),
                name="voucher_once_per_order",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="voucher_use_of_something"),
        ]
        indexes: ClassVar = [models.Index(fields=["tenant", "order"], name="voucher_uses_of_order")]

    @override
    def __str__(self) -> str:
        return f"{self.amount} {self.state}"
