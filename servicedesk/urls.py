from django.urls import URLPattern, URLResolver, path

from servicedesk.views import desk, portal

app_name = "servicedesk"

urlpatterns: list[URLPattern | URLResolver] = [
    path("support/service-orders/", portal.service_order_list, name="service_order_list"),
    path(
        "support/service-orders/<str:number>/",
        portal.service_order_detail,
        name="service_order_detail",
    ),
    path(
        "support/service-orders/<str:number>/rate/",
        portal.service_order_rate,
        name="service_order_rate",
    ),
    path(
        "support/service-orders/<str:number>/files/<int:pk>/",
        portal.deliverable_download,
        name="deliverable_download",
    ),
    path(
        "support/service-orders/<str:number>/files/<int:pk>/confirm/",
        portal.risk_letter_confirm,
        name="risk_letter_confirm",
    ),
    path("desk/", desk.dashboard, name="dashboard"),
    path("desk/service-orders/", desk.service_order_list, name="desk_service_order_list"),
    path("desk/service-orders/new/", desk.service_order_new, name="desk_service_order_new"),
    path(
        "desk/service-orders/<str:number>/",
        desk.service_order_detail,
        name="desk_service_order_detail",
    ),
    path(
        "desk/service-orders/<str:number>/upload/",
        desk.deliverable_upload,
        name="deliverable_upload",
    ),
    path(
        "desk/service-orders/<str:number>/<str:action>/",
        desk.service_order_move,
        name="service_order_move",
    ),
    path(
        "desk/service-orders/<str:number>/files/<int:pk>/",
        desk.deliverable_download,
        name="desk_deliverable_download",
    ),
]
