from django.urls import URLPattern, URLResolver, path

from supportplans.views import links, plans, trials

app_name = "supportplans"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", plans.plan_compare, name="plan_compare"),
    path("agreement/", plans.agreement, name="agreement"),
    path("support/", plans.overview, name="overview"),
    path("support/plan/", plans.plan_detail, name="plan_detail"),
    path("support/plan/trial/", trials.trial_apply, name="trial_apply"),
    path("support/plan/trial/<int:pk>/withdraw/", trials.trial_withdraw, name="trial_withdraw"),
    path("support/links/", links.link_list, name="link_list"),
    path("support/links/<int:link_id>/<str:action>/", links.link_turn, name="link_turn"),
    path("desk/links/", links.desk_link_list, name="desk_link_list"),
    path(
        "desk/links/<int:link_id>/<str:decision>/", links.desk_link_decide, name="desk_link_decide"
    ),
    path("desk/trials/", trials.desk_trial_list, name="desk_trial_list"),
    path(
        "desk/trials/<int:pk>/<str:decision>/", trials.desk_trial_decide, name="desk_trial_decide"
    ),
]
