from django.urls import URLPattern, URLResolver

app_name = "onlineservice"

urlpatterns: list[URLPattern | URLResolver] = []
