"""Closed sets of values of orders and payments, with label and colour beside the value, and what may follow what."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class OrderType(models.TextChoices):
    """What an order does (domain.md §4)."""

    NEW = "new", _("订购")
    UPGRADE = "upgrade", _("升配")
    DOWNGRADE = "downgrade", _("降配")
    RENEW = "renew", _("续订")
    UNSUBSCRIBE = "unsubscribe", _("退订")
    TOP_UP = "top_up", _("充值")


class OrderState(models.TextChoices):
    """The life of an order (domain.md §4)."""

    PENDING = "pending", _("待支付")
    PAID = "paid", _("已支付")
    PROVISIONING = "provisioning", _("开通中")
    COMPLETED = "completed", _("已完成")
    CANCELLED = "cancelled", _("已取消")
    EXPIRED = "expired", _("已过期")
    REFUNDED = "refunded", _("已退款")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return {
            "pending": "warn",
            "paid": "info",
            "provisioning": "info",
            "completed": "ok",
            "cancelled": "muted",
            "expired": "muted",
            "refunded": "muted",
        }[self.value]


# Expired → paid: the provider's clock says that the money came in time (domain.md §4).
ORDER_MOVES: dict[str, frozenset[str]] = {
    OrderState.PENDING: frozenset({OrderState.PAID, OrderState.CANCELLED, OrderState.EXPIRED}),
    OrderState.PAID: frozenset({OrderState.PROVISIONING, OrderState.REFUNDED}),
    OrderState.PROVISIONING: frozenset({OrderState.COMPLETED, OrderState.REFUNDED}),
    OrderState.EXPIRED: frozenset({OrderState.PAID}),
    OrderState.COMPLETED: frozenset(),
    OrderState.CANCELLED: frozenset(),
    OrderState.REFUNDED: frozenset(),
}
# States in which an order keeps its account from placing another one, and in which something is still to come.
OPEN_ORDER_STATES = (OrderState.PENDING, OrderState.PAID, OrderState.PROVISIONING)
TO_PROVISION_STATES = (OrderState.PAID, OrderState.PROVISIONING)


class PaymentState(models.TextChoices):
    """The life of one attempt to pay at a provider."""

    OPEN = "open", _("支付中")
    CLOSING = "closing", _("关闭中")
    SUCCEEDED = "succeeded", _("支付成功")
    FAILED = "failed", _("支付失败")
    CLOSED = "closed", _("已关闭")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return {
            "open": "warn",
            "closing": "warn",
            "succeeded": "ok",
            "failed": "bad",
            "closed": "muted",
        }[self.value]


# Money that arrives is never refused: a failed or closed attempt can still turn out to have succeeded.
PAYMENT_MOVES: dict[str, frozenset[str]] = {
    PaymentState.OPEN: frozenset(
        {PaymentState.CLOSING, PaymentState.SUCCEEDED, PaymentState.FAILED, PaymentState.CLOSED}
    ),
    PaymentState.CLOSING: frozenset(
        {PaymentState.SUCCEEDED, PaymentState.FAILED, PaymentState.CLOSED}
    ),
    PaymentState.FAILED: frozenset({PaymentState.SUCCEEDED}),
    PaymentState.CLOSED: frozenset({PaymentState.SUCCEEDED}),
    PaymentState.SUCCEEDED: frozenset(),
}
LIVE_PAYMENT_STATES = (PaymentState.OPEN, PaymentState.CLOSING)


class HoldState(models.TextChoices):
    """The life of a part of the balance that an open order keeps."""

    HELD = "held", _("占用中")
    CAPTURED = "captured", _("已扣款")
    RELEASED = "released", _("已释放")


class AccountKind(models.TextChoices):
    """Accounts of a tenant's book. A positive leg is money that arrives there.

    Money comes from outside through the account of its method, which therefore runs negative: it shows what the method
    has brought in.
    """

    BALANCE = "balance", _("账户余额")
    HELD = "held", _("占用余额")
    SALES = "sales", _("订单收款")
    ALIPAY = "alipay", _("支付宝")
    BESTPAY = "bestpay", _("翼支付")
    WECHATPAY = "wechatpay", _("微信支付")
    TRANSFER = "transfer", _("对公转账")
    LOCAL = "local", _("测试支付")


# What a customer owns can be spent only once: the database refuses less than 0.00 here.
NEVER_NEGATIVE = (AccountKind.BALANCE, AccountKind.HELD)


class PostingKind(models.TextChoices):
    """Why money moved."""

    TOP_UP = "top_up", _("充值")
    HOLD = "hold", _("余额占用")
    RELEASE = "release", _("占用释放")
    CAPTURE = "capture", _("余额支付")
    CASHIER = "cashier", _("收银台支付")
    SURPLUS = "surplus", _("多收款转入余额")
    REFUND = "refund", _("退款至余额")


class NotificationOutcome(models.TextChoices):
    """What became of a provider's notification."""

    APPLIED = "applied", _("已处理")
    REPEATED = "repeated", _("重复通知")
    UNCHANGED = "unchanged", _("无需变更")
    UNVERIFIED = "unverified", _("签名无效")
    UNKNOWN = "unknown", _("未知支付单")
    MISMATCH = "mismatch", _("金额、币种或商户不符")

    @property
    def colour(self) -> str:
        """Return the colour of the outcome's chip."""
        bad = {
            NotificationOutcome.UNVERIFIED,
            NotificationOutcome.UNKNOWN,
            NotificationOutcome.MISMATCH,
        }
        return "bad" if self in bad else "muted"
