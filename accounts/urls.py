from django.urls import URLPattern, URLResolver, path

from accounts import views
from accounts.views import operations, people

app_name = "accounts"

urlpatterns: list[URLPattern | URLResolver] = [
    path("home/", views.session.home, name="home"),
    path("preferences/", views.session.preferences_save, name="preferences_save"),
    path("switch/<int:tenant_id>/", views.session.tenant_switch, name="tenant_switch"),
    path("healthz/", views.session.health, name="health"),
    path("accounts/invitations/<str:token>/", people.invitation_accept, name="invitation_accept"),
    path("support/people/", people.people_list, name="people_list"),
    path("support/people/<int:membership_id>/role/", people.role_change, name="role_change"),
    path("support/people/<int:membership_id>/remove/", people.member_remove, name="member_remove"),
    path(
        "support/people/invitations/<int:invitation_id>/revoke/",
        people.invitation_revoke,
        name="invitation_revoke",
    ),
    path("operations/", operations.overview, name="operations"),
    path("operations/clock/", operations.clock_advance, name="clock_advance"),
]
