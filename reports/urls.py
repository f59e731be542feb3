from django.urls import URLPattern, URLResolver, path

from reports import views

app_name = "reports"

urlpatterns: list[URLPattern | URLResolver] = [
    path("support/reports/", views.report_list, name="report_list"),
    path("support/reports/data-use/", views.data_use, name="data_use"),
    path("support/reports/<int:pk>/", views.report_download, name="report_download"),
    path("desk/reports/", views.desk_report_list, name="desk_report_list"),
    path("desk/reports/<int:tenant_id>/make/", views.report_request, name="report_request"),
]
