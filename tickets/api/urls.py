from django.urls import URLPattern, URLResolver, path

from tickets.api import views

app_name = "tickets_api"

urlpatterns: list[URLPattern | URLResolver] = [
    path("tickets/", views.TicketListView.as_view(), name="ticket_list"),
    path("tickets/<str:number>/", views.TicketDetailView.as_view(), name="ticket_detail"),
    path("tickets/<str:number>/replies/", views.ReplyView.as_view(), name="reply_create"),
]
