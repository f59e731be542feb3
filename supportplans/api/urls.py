from django.urls import path

from supportplans.api import links, views

app_name = "supportplans_api"

urlpatterns = [
    path("plan/", views.PlanView.as_view(), name="plan"),
    path("plan/links/", links.LinksView.as_view(), name="links"),
    path("plan/links/<int:link_id>/<str:action>/", links.LinkTurnView.as_view(), name="link_turn"),
    path("plan/trial/", views.TrialView.as_view(), name="trial"),
]
