from django.urls import URLPattern, URLResolver, path

from tickets.views import agents, bulk, composing, console, macros, portal, timers, work

app_name = "tickets"

urlpatterns: list[URLPattern | URLResolver] = [
    path("support/tickets/", portal.ticket_list, name="ticket_list"),
    path("support/tickets/new/", portal.ticket_new, name="ticket_new"),
    path(
        "support/tickets/files/<int:attachment_id>/",
        portal.attachment_download,
        name="attachment_download",
    ),
    path("support/tickets/<str:number>/", portal.ticket_detail, name="ticket_detail"),
    path("support/tickets/<str:number>/live/", portal.ticket_live, name="ticket_live"),
    path("support/tickets/<str:number>/reply/", portal.reply_create, name="reply_create"),
    path("support/tickets/<str:number>/confirm/", portal.ticket_confirm, name="ticket_confirm"),
    path("support/tickets/<str:number>/reopen/", portal.ticket_reopen, name="ticket_reopen"),
    path("support/tickets/<str:number>/raise/", portal.severity_raise, name="severity_raise"),
    path("support/tickets/<str:number>/rate/", portal.ticket_rate, name="ticket_rate"),
    path("healthz/timers/", timers.timers_health, name="timers_health"),
    path("operations/timers/", timers.timers_panel, name="timers_panel"),
    path("console/", console.console, name="console"),
    path("console/live/", console.console_live, name="console_live"),
    path("console/find/", composing.console_find, name="console_find"),
    path("console/macros/", macros.macro_list, name="macro_list"),
    path("console/macros/new/", macros.macro_new, name="macro_new"),
    path("console/macros/<int:macro_id>/", macros.macro_edit, name="macro_edit"),
    path("console/macros/<int:macro_id>/switch/", macros.macro_switch, name="macro_switch"),
    path("console/leave/", composing.console_leave, name="console_leave"),
    path(
        "console/files/<int:attachment_id>/", console.console_attachment, name="console_attachment"
    ),
    path("console/availability/", agents.console_availability, name="console_availability"),
    path("console/agents/", agents.agents, name="agents"),
    path("console/agents/<int:card_id>/", agents.agent_set, name="agent_set"),
    path("console/incidents/", agents.incidents, name="incidents"),
    path("console/incidents/<int:incident_id>/", agents.incident, name="incident"),
    path("console/tags/", work.console_tag_menu, name="console_tag_menu"),
    path("console/bulk/", bulk.console_bulk, name="console_bulk"),
    path("console/undo/", bulk.console_undo, name="console_undo"),
    *(
        path(f"console/tickets/<str:number>/{slug}/", view, name=view.__name__)
        for slug, view in (
            ("work", work.console_work),
            ("transfer", work.console_transfer),
            ("tags", work.console_tags),
            ("level", work.console_severity_set),
            ("merge", work.console_merge),
            ("link", work.console_link),
            ("unlink", work.console_unlink),
            ("split", work.console_split),
            ("incident", work.console_incident),
            ("out-of-scope", work.console_out_of_scope),
            ("requirement", work.console_requirement),
        )
    ),
    path("console/tickets/<str:number>/", console.console_ticket, name="console_ticket"),
    path("console/tickets/<str:number>/context/", console.console_context, name="console_context"),
    path("console/tickets/<str:number>/reply/", console.console_reply, name="console_reply"),
    path("console/tickets/<str:number>/note/", console.console_note, name="console_note"),
    path("console/tickets/<str:number>/draft/", composing.console_draft, name="console_draft"),
    path("console/tickets/<str:number>/macros/", macros.console_macros, name="console_macros"),
    path(
        "console/tickets/<str:number>/macros/<int:macro_id>/",
        macros.console_macro,
        name="console_macro",
    ),
    path("console/tickets/<str:number>/take/", console.console_take, name="console_take"),
    path("console/tickets/<str:number>/assign/", console.console_assign, name="console_assign"),
]
