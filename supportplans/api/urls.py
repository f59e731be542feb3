from django.urls import path

from supportplans.api import views

app_name = "supportplans_api"

urlpatterns = [
    path("plan/", views.PlanView.as_view(), name="plan"),
    path("plan/trial/", views.TrialView.as_view(), name="trial"),
]
