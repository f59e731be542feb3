from django.urls import URLPattern, URLResolver, path

from supportplans.views import plans, trials

app_name = "supportplans"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", plans.plan_compare, name="plan_compare"),
    path("agreement/", plans.agreement, name="agreement"),
    path("support/", plans.overview, name="overview"),
    path("support/plan/", plans.plan_detail, name="plan_detail"),
    path("support/plan/trial/", trials.trial_apply, name="trial_apply"),
    path("support/plan/trial/<int:pk>/withdraw/", trials.trial_withdraw, name="trial_withdraw"),
    path("desk/trials/", trials.desk_trial_list, name="desk_trial_list"),
    path(
        "desk/trials/<int:pk>/<str:decision>/", trials.desk_trial_decide, name="desk_trial_decide"
    ),
]
