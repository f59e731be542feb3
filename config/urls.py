"""Pages. Public, customers, staff desks, then the API."""

from django.contrib import admin
from django.urls import include, path

from config.styleguide import styleguide

handler500 = "config.errors.server_error"

urlpatterns = [
    path("accounts/", include("allauth.account.urls")),
    path("", include("accounts.urls")),
    path("", include("supportplans.urls")),
    path("", include("messaging.urls")),
    path("", include("billing.urls")),
    path("", include("tickets.urls")),
    path("", include("servicedesk.urls")),
    path("", include("onlineservice.urls")),
    path("", include("reports.urls")),
    path("api/v1/", include("config.api_urls")),
    path("styleguide/", styleguide, name="styleguide"),
    path("operations/admin/", admin.site.urls),
]
