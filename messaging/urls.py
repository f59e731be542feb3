from django.urls import URLPattern, URLResolver, path

from messaging import views

app_name = "messaging"

urlpatterns: list[URLPattern | URLResolver] = [
    path("messages/", views.message_list, name="message_list"),
    path("messages/read/", views.messages_read, name="messages_read"),
    path("messages/<int:delivery_id>/", views.message_open, name="message_open"),
    path("messages/unread/", views.unread_count, name="unread_count"),
    path("operations/deliveries/", views.delivery_failed_list, name="delivery_failed_list"),
    path(
        "operations/deliveries/<int:delivery_id>/retry/",
        views.delivery_retry,
        name="delivery_retry",
    ),
]
