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
    """The life of money (balance, voucher) that an open order keeps."""

    HELD = "held", _("占用中")
    CAPTURED = "captured", _("已扣款")
    RELEASED = "released", _("已释放")
    RETURNED = "returned", _("已退回")  # a voucher's money that a free return gave back


class AccountKind(models.TextChoices):
    """Accounts of a tenant's book. A positive leg is money that arrives there.

    Money comes from outside through the account of its method, which therefore runs negative: it shows what the method
    has brought in.
    """

    BALANCE = "balance", _("账户余额")
    HELD = "held", _("占用余额")
    SALES = "sales", _("订单收款")
    REFUNDING = "refunding", _("待退款")
    ALIPAY = "alipay", _("支付宝")
    BESTPAY = "bestpay", _("翼支付")
    WECHATPAY = "wechatpay", _("微信支付")
    TRANSFER = "transfer", _("对公转账")
    LOCAL = "local", _("测试支付")


# What a customer owns can be spent only once: the database refuses less than 0.00 here.
NEVER_NEGATIVE = (AccountKind.BALANCE, AccountKind.HELD, AccountKind.REFUNDING)


class PostingKind(models.TextChoices):
    """Why money moved."""

    TOP_UP = "top_up", _("充值")
    HOLD = "hold", _("余额占用")
    RELEASE = "release", _("占用释放")
    CAPTURE = "capture", _("余额支付")
    CASHIER = "cashier", _("收银台支付")
    SURPLUS = "surplus", _("多收款转入余额")
    REFUND_DUE = "refund_due", _("应退款")
    REFUND_PAID = "refund_paid", _("退款完成")


class RefundState(models.TextChoices):
    """The life of one refund to one destination (domain.md §3 and §4)."""

    AWAITING_INVOICE = "invoice", _("待冲红发票")  # an issued invoice is reversed first
    AWAITING_APPROVAL = "approval", _("待审批")
    READY = "ready", _("待退款")
    PROCESSING = "processing", _("退款中")
    SUCCEEDED = "succeeded", _("已退款")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return {"succeeded": "ok", "processing": "info", "ready": "info"}.get(self.value, "warn")


# Money that is owed is paid: a provider's refusal changes the destination to the balance, never the amount.
REFUND_MOVES: dict[str, frozenset[str]] = {
    RefundState.AWAITING_INVOICE: frozenset({RefundState.AWAITING_APPROVAL, RefundState.READY}),
    RefundState.AWAITING_APPROVAL: frozenset({RefundState.READY}),
    RefundState.READY: frozenset({RefundState.PROCESSING, RefundState.SUCCEEDED}),
    RefundState.PROCESSING: frozenset({RefundState.READY, RefundState.SUCCEEDED}),
    RefundState.SUCCEEDED: frozenset(),
}
OPEN_REFUND_STATES = (
    RefundState.AWAITING_INVOICE,
    RefundState.AWAITING_APPROVAL,
    RefundState.READY,
    RefundState.PROCESSING,
)


class CouponKind(models.TextChoices):
    """How a coupon lowers a price."""

    FIXED = "fixed", _("满减")
    PERCENT = "percent", _("折扣")


class CouponState(models.TextChoices):
    """The life of a coupon in a customer's hands."""

    AVAILABLE = "available", _("可使用")
    HELD = "held", _("占用中")
    USED = "used", _("已使用")
    EXPIRED = "expired", _("已过期")
    WITHDRAWN = "withdrawn", _("已收回")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return {"available": "ok", "held": "warn"}.get(self.value, "muted")


COUPON_MOVES: dict[str, frozenset[str]] = {
    CouponState.AVAILABLE: frozenset(
        {CouponState.HELD, CouponState.EXPIRED, CouponState.WITHDRAWN}
    ),
    CouponState.HELD: frozenset({CouponState.AVAILABLE, CouponState.USED}),
    # A free return gives a coupon back where it is still valid.
    CouponState.USED: frozenset({CouponState.AVAILABLE}),
    CouponState.EXPIRED: frozenset(),
    CouponState.WITHDRAWN: frozenset(),
}


class InvoiceState(models.TextChoices):
    """The life of an invoice."""

    REQUESTED = "requested", _("待开具")
    ISSUED = "issued", _("已开具")
    REVERSED = "reversed", _("已冲红")
    WITHDRAWN = "withdrawn", _("已取消")

    @property
    def colour(self) -> str:
        """Return the colour of the state's chip."""
        return {"requested": "warn", "issued": "ok", "reversed": "bad", "withdrawn": "muted"}[
            self.value
        ]


INVOICE_MOVES: dict[str, frozenset[str]] = {
    InvoiceState.REQUESTED: frozenset({InvoiceState.ISSUED, InvoiceState.WITHDRAWN}),
    InvoiceState.ISSUED: frozenset({InvoiceState.REVERSED}),
    InvoiceState.REVERSED: frozenset(),
    InvoiceState.WITHDRAWN: frozenset(),
}
# An order has one invoice in these states at most.
LIVE_INVOICE_STATES = (InvoiceState.REQUESTED, InvoiceState.ISSUED)


class DifferenceKind(models.TextChoices):
    """How a provider's records and ours disagree."""

    MISSING_HERE = "missing_here", _("渠道有、本地无")
    MISSING_THERE = "missing_there", _("本地有、渠道无")
    AMOUNT = "amount", _("金额不一致")
    STATE = "state", _("状态不一致")


class UnsubscribeReason(models.TextChoices):
    """The guide's reasons for leaving (3.5)."""

    WRONG_CHOICE = "wrong_choice", _("购买云服务时选错参数（配置、时长、数量等）")
    FEATURES = "features", _("云服务功能不完善，不能满足业务需求")
    COMPETITOR = "competitor", _("其他云服务商的性价比更高")
    REGION = "region", _("区域选择错误")
    FAULT = "fault", _("云服务故障无法修复")
    OTHER = "other", _("其他")


class OrderOrigin(models.TextChoices):
    """Who placed an order."""

    CUSTOMER = "customer", _("客户")
    AUTO_RENEWAL = "auto_renewal", _("自动续订")


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
