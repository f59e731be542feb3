from django.urls import URLPattern, URLResolver, path

from onlineservice import views

app_name = "onlineservice"

urlpatterns: list[URLPattern | URLResolver] = [
    path("help/", views.article_list, name="article_list"),
    path("help/hints/", views.article_hints, name="article_hints"),
    path("help/<slug:slug>/", views.article_detail, name="article_detail"),
]
