from django.urls import URLPattern, URLResolver

app_name = "supportplans"

urlpatterns: list[URLPattern | URLResolver] = []
