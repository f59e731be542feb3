from billing.models.ledger import BalanceHold, LedgerAccount, LedgerLeg, LedgerTransaction
from billing.models.orders import AgreementAcceptance, Order, OrderEvent
from billing.models.payments import Payment, PaymentNotification

__all__ = [
    "AgreementAcceptance",
    "BalanceHold",
    "LedgerAccount",
    "LedgerLeg",
    "LedgerTransaction",
    "Order",
    "OrderEvent",
    "Payment",
    "PaymentNotification",
]
