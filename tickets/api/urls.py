from django.urls import URLPattern, URLResolver, path

from tickets.api import action_views, desk, views

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
    path("tickets/<str:number>/urge/", action_views.UrgeView.as_view(), name="ticket_urge"),
    path("tickets/<str:number>/raise/", action_views.RaiseView.as_view(), name="severity_raise"),
    path(
        "tickets/<str:number>/confirm/", action_views.ConfirmView.as_view(), name="ticket_confirm"
    ),
    path("tickets/<str:number>/rating/", action_views.RatingView.as_view(), name="ticket_rate"),
    path(
        "tickets/<str:number>/messages/<int:message_id>/recall/",
        action_views.RecallView.as_view(),
        name="message_recall",
    ),
    path(
        "tickets/<str:number>/watchers/", action_views.WatchersView.as_view(), name="watcher_list"
    ),
    path(
        "tickets/<str:number>/watchers/<int:user_id>/",
        action_views.WatcherView.as_view(),
        name="watcher_remove",
    ),
]
