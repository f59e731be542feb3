from django.urls import path

from servicedesk.api import views

urlpatterns = [
    path("service-orders/", views.ServiceOrderList.as_view(), name="service_order_list"),
    path(
        "service-orders/<str:number>/",
        views.ServiceOrderDetail.as_view(),
        name="service_order_detail",
    ),
    path(
        "service-orders/<str:number>/rating/",
        views.ServiceOrderRate.as_view(),
        name="service_order_rate",
    ),
]
