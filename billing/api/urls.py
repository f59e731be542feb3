from django.urls import path

from billing.api import views

app_name = "billing_api"

urlpatterns = [
    path("orders/", views.OrderListView.as_view(), name="order_list"),
    path("orders/quote/", views.QuoteView.as_view(), name="quote"),
    path("orders/<str:number>/", views.OrderDetailView.as_view(), name="order_detail"),
]
