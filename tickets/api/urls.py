from django.urls import URLPattern, URLResolver, path

from tickets.api import desk, views

app_name = "tickets_api"

urlpatterns: list[URLPattern | URLResolver] = [
    path("tickets/", views.TicketListView.as_view(), name="ticket_list"),
    path("tickets/<str:number>/", views.TicketDetailView.as_view(), name="ticket_detail"),
    path("tickets/<str:number>/reopening/", views.ReopeningView.as_view(), name="ticket_reopen"),
    path("tickets/<str:number>/transfer/", desk.TransferView.as_view(), name="ticket_transfer"),
    path("tickets/<str:number>/merge/", desk.MergeView.as_view(), name="ticket_merge"),
    path("tickets/<str:number>/tags/", desk.TagsView.as_view(), name="ticket_tags"),
    path("agents/me/", desk.AvailabilityView.as_view(), name="availability"),
    path("tickets/<str:number>/replies/", views.ReplyView.as_view(), name="reply_create"),
]
