from django.urls import URLPattern, URLResolver, path

from billing.views import (
    callbacks,
    changes,
    checkout,
    codes,
    finance,
    invoices,
    orders,
    transfers,
    unsubscriptions,
    wallet,
)

app_name = "billing"

urlpatterns: list[URLPattern | URLResolver] = [
    path("support/order/new/", checkout.order_new, name="order_new"),
    path("support/plan/change/", changes.plan_change, name="plan_change"),
    path("support/plan/renew/", changes.plan_renew, name="plan_renew"),
    path("support/plan/auto-renewal/", changes.auto_renewal_set, name="auto_renewal_set"),
    path(
        "support/unsubscriptions/",
        unsubscriptions.unsubscription_list,
        name="unsubscription_list",
    ),
    path(
        "support/unsubscriptions/new/",
        unsubscriptions.unsubscription_new,
        name="unsubscription_new",
    ),
    path("support/orders/", orders.order_list, name="order_list"),
    path("support/orders/export/", orders.order_export, name="order_export"),
    path("support/orders/<str:number>/", orders.order_detail, name="order_detail"),
    path("support/orders/<str:number>/status/", orders.order_status, name="order_status"),
    path("support/orders/<str:number>/cancel/", orders.order_cancel, name="order_cancel"),
    path("support/orders/<str:number>/pay/", checkout.order_pay, name="order_pay"),
    path("support/orders/<str:number>/cashier/", checkout.cashier, name="cashier"),
    path("support/orders/<str:number>/payment/", checkout.payment_return, name="payment_return"),
    path("support/orders/<str:number>/code/", codes.payment_code, name="payment_code"),
    path(
        "support/orders/<str:number>/transfer/", transfers.transfer_detail, name="transfer_detail"
    ),
    path("support/orders/<str:number>/invoice/", invoices.invoice_new, name="invoice_new"),
    path("support/balance/", wallet.balance_detail, name="balance_detail"),
    path("support/balance/export/", wallet.balance_export, name="balance_export"),
    path("support/balance/top-up/", wallet.top_up_new, name="top_up_new"),
    path("support/coupons/", wallet.coupon_list, name="coupon_list"),
    path("support/vouchers/", wallet.voucher_list, name="voucher_list"),
    path("support/invoices/", invoices.invoice_list, name="invoice_list"),
    path(
        "support/invoices/<int:invoice_id>/withdraw/",
        invoices.invoice_withdraw,
        name="invoice_withdraw",
    ),
    path(
        "support/invoices/<int:invoice_id>/download/",
        invoices.invoice_download,
        name="invoice_download",
    ),
    path("callbacks/payments/<str:provider>/", callbacks.payment_notify, name="payment_notify"),
    path("finance/payments/", finance.finance_payment_list, name="finance_payment_list"),
    path("finance/top-ups/new/", finance.finance_top_up, name="finance_top_up"),
]
