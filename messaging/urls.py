from django.urls import URLPattern, URLResolver, path

from messaging import inbound_views, views

app_name = "messaging"

urlpatterns: list[URLPattern | URLResolver] = [
    path("messages/", views.message_list, name="message_list"),
    path("messages/read/", views.messages_read, name="messages_read"),
    path("messages/<int:delivery_id>/", views.message_open, name="message_open"),
    path("messages/unread/", views.unread_count, name="unread_count"),
    path("callbacks/mail/", inbound_views.mail_receive, name="mail_receive"),
    path("operations/mail/", inbound_views.inbound_list, name="inbound_list"),
    path("operations/mail/<int:mail_id>/retry/", inbound_views.inbound_retry, name="inbound_retry"),
    path("operations/deliveries/", views.delivery_failed_list, name="delivery_failed_list"),
    path(
        "operations/deliveries/<int:delivery_id>/retry/",
        views.delivery_retry,
        name="delivery_retry",
    ),
]
