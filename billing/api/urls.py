from django.urls import path

from billing.api import action_views, views, wallet_views

app_name = "billing_api"

urlpatterns = [
    path("orders/", views.OrderListView.as_view(), name="order_list"),
    path("orders/quote/", views.QuoteView.as_view(), name="quote"),
    path("orders/<str:number>/", views.OrderDetailView.as_view(), name="order_detail"),
    path("orders/<str:number>/funds/", wallet_views.OrderFundsView.as_view(), name="order_funds"),
    path(
        "orders/<str:number>/cancel/", action_views.OrderCancelView.as_view(), name="order_cancel"
    ),
    path(
        "orders/<str:number>/payment/",
        action_views.OrderPaymentView.as_view(),
        name="order_payment",
    ),
    path("auto-renewal/", action_views.AutoRenewalView.as_view(), name="auto_renewal"),
    path("coupons/", wallet_views.CouponListView.as_view(), name="coupon_list"),
    path("vouchers/", wallet_views.VoucherListView.as_view(), name="voucher_list"),
    path("balance/", wallet_views.BalanceView.as_view(), name="balance"),
    path("balance/statement/", wallet_views.StatementView.as_view(), name="statement"),
    path("top-ups/", wallet_views.TopUpView.as_view(), name="top_up"),
    path("invoices/", wallet_views.InvoiceListView.as_view(), name="invoice_list"),
    path(
        "invoices/<int:invoice_id>/",
        wallet_views.InvoiceDetailView.as_view(),
        name="invoice_detail",
    ),
]
