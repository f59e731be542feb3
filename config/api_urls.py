"""The REST API, version 1. Each app adds its own ``api/urls.py``."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from config.api_docs import documentation

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("docs/", documentation, name="api_docs"),
    path("", include("supportplans.api.urls")),
    path("", include("billing.api.urls")),
    path("", include("tickets.api.urls")),
    path("", include(("servicedesk.api.urls", "servicedesk_api"))),
]
