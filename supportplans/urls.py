from django.urls import URLPattern, URLResolver, path

from supportplans import views

app_name = "supportplans"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.plan_compare, name="plan_compare"),
    path("agreement/", views.agreement, name="agreement"),
    path("support/", views.overview, name="overview"),
    path("support/plan/", views.plan_detail, name="plan_detail"),
]
