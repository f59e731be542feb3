from billing.models.invoices import Invoice
from billing.models.ledger import BalanceHold, LedgerAccount, LedgerLeg, LedgerTransaction
from billing.models.orders import AgreementAcceptance, Order, OrderEvent
from billing.models.payments import Payment, PaymentNotification
from billing.models.reconciliation import Difference, LedgerProof, Reconciliation
from billing.models.refunds import Refund, RefundEvent
from billing.models.renewals import AutoRenewal, ChangeAllowance
from billing.models.vouchers import Coupon, CouponGrant, Voucher, VoucherUse

__all__ = [
    "AgreementAcceptance",
    "AutoRenewal",
    "BalanceHold",
    "ChangeAllowance",
    "Coupon",
    "CouponGrant",
    "Difference",
    "Invoice",
    "LedgerAccount",
    "LedgerLeg",
    "LedgerProof",
    "LedgerTransaction",
    "Order",
    "OrderEvent",
    "Payment",
    "PaymentNotification",
    "Reconciliation",
    "Refund",
    "RefundEvent",
    "Voucher",
    "VoucherUse",
]
