"""Who may do what with the tables of billing."""

from django.db import migrations

from core.tenancy.operations import APPEND, EDIT, READ, EnableTenantIsolation, GrantTable

# A customer's request creates orders and attempts, ends them and spends their balance; what was agreed (number, plan,
# price, amount) never changes, for anybody.
ORDER_MOVES = (
    "UPDATE (state, balance_amount, coupon_amount, voucher_amount, paid_at, pays_until, updated_at, closing_to, "
    "version)"
)
ORDER_WORK = (
    "UPDATE (state, balance_amount, coupon_amount, voucher_amount, paid_at, pays_until, completed_at, updated_at, "
    "closing_to, subscription_id, version)"
)
# Whose money it is, and how much, never changes once it is owed.
REFUND_MOVES = "UPDATE (state, destination, reference, approved_at, approved_by, next_try_at, tries, done_at, error)"
VOUCHER_USE = f"{APPEND}, UPDATE (state, ended_at)"


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("supportplans", "0002_isolation")]

    operations = [
        EnableTenantIsolation(
            "Order", customer=f"{APPEND}, {ORDER_MOVES}", staff=f"{APPEND}, {ORDER_WORK}"
        ),
        EnableTenantIsolation("OrderEvent", customer=APPEND, staff=APPEND),
        EnableTenantIsolation("AgreementAcceptance", customer=APPEND, staff=READ),
        EnableTenantIsolation(
            "Payment", customer=f"{APPEND}, UPDATE (state, next_poll_at)", staff=EDIT
        ),
        # The book: rows are added, never changed. Balances follow the legs by trigger, with the writer's rights.
        EnableTenantIsolation(
            "LedgerAccount",
            customer=f"{APPEND}, UPDATE (balance)",
            staff=f"{APPEND}, UPDATE (balance)",
        ),
        EnableTenantIsolation("LedgerTransaction", customer=APPEND, staff=APPEND),
        EnableTenantIsolation("LedgerLeg", customer=APPEND, staff=APPEND),
        EnableTenantIsolation(
            "BalanceHold",
            customer=f"{APPEND}, UPDATE (state, ended_at)",
            staff=f"{APPEND}, UPDATE (state, ended_at)",
        ),
        GrantTable("PaymentNotification", app="", customer="", staff=APPEND),
        # Coupons and vouchers: staff gives them, a customer's order holds and spends them.
        GrantTable("Coupon", app="", customer=READ, staff=EDIT),
        EnableTenantIsolation(
            "CouponGrant", customer="SELECT, UPDATE (state, order_id, amount)", staff=EDIT
        ),
        EnableTenantIsolation(
            "Voucher",
            customer="SELECT, UPDATE (balance)",
            staff=f"{APPEND}, UPDATE (balance, withdrawn_at)",
        ),
        EnableTenantIsolation("VoucherUse", customer=VOUCHER_USE, staff=VOUCHER_USE),
        # Refunds are made and moved by workers and finance.
        EnableTenantIsolation("Refund", customer=READ, staff=f"{APPEND}, {REFUND_MOVES}"),
        EnableTenantIsolation("RefundEvent", customer=READ, staff=APPEND),
        EnableTenantIsolation("Invoice", customer=f"{APPEND}, UPDATE (state)", staff=EDIT),
        EnableTenantIsolation("AutoRenewal", customer=EDIT, staff=EDIT),
        EnableTenantIsolation(
            "ChangeAllowance",
            customer="SELECT, UPDATE (order_id)",
            staff=f"{APPEND}, UPDATE (order_id)",
        ),
        GrantTable("Reconciliation", app="", customer="", staff=EDIT),
        GrantTable("Difference", app="", customer="", staff=EDIT),
        GrantTable("LedgerProof", app="", customer="", staff=APPEND),
    ]
