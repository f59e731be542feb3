"""Who may do what with the tables of tickets."""

from django.db import migrations

from core.tenancy.operations import APPEND, EDIT, FULL, READ, EnableTenantIsolation, GrantTable

RECALL = "SELECT, INSERT, UPDATE (body, search, recalled_at)"
SEND = "SELECT, INSERT, UPDATE (message_id)"
FOLLOW = "SELECT, INSERT, UPDATE (removed_at)"


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0001_initial"),
        ("supportplans", "0002_isolation"),
        ("accounts", "0002_isolation"),
    ]

    operations = [
        GrantTable("TicketCategory", app=READ, customer=READ, staff=FULL),
        GrantTable("TicketTemplate", app=READ, customer=READ, staff=FULL),
        # Staff's own: no customer's transaction can read or write it.
        GrantTable("SavedView", app="", customer="", staff=FULL),
        EnableTenantIsolation("Ticket", customer=EDIT, staff=EDIT),
        # A customer takes back an own message: its text goes, nothing else can change (0003_message_rules).
        EnableTenantIsolation("TicketMessage", customer=RECALL, staff=APPEND),
        EnableTenantIsolation("TicketEvent", customer=APPEND, staff=APPEND),
        # Uploaded first, sent with a message later; the worker scans, and discards what was never sent.
        EnableTenantIsolation("Attachment", customer=SEND, staff=FULL),
        EnableTenantIsolation("Watcher", customer=FOLLOW, staff=FOLLOW),
        EnableTenantIsolation("Rating", customer=APPEND, staff=APPEND),
        EnableTenantIsolation("Clock", customer=EDIT, staff=EDIT),
        EnableTenantIsolation("ClockEvent", customer=APPEND, staff=APPEND),
        # What a person has begun to write is nobody else's: no page of staff's reads it, and none can change it.
        EnableTenantIsolation("TicketDraft", customer=EDIT, staff=APPEND),
        # What staff says among itself and when it was late: no customer's transaction can read or write it.
        EnableTenantIsolation("TicketNote", customer="", staff=APPEND),
        EnableTenantIsolation("ClockStage", customer="", staff=APPEND),
        GrantTable("SweepOutage", app="", customer="", staff=EDIT),
        # How staff deals, sorts and collects: no customer's business. Tags and links can be taken away again.
        GrantTable("Availability", app="", customer="", staff=EDIT),
        GrantTable("Tag", app="", customer="", staff=FULL),
        GrantTable("ScopeItem", app="", customer="", staff=FULL),
        GrantTable("Incident", app="", customer="", staff=EDIT),
        EnableTenantIsolation("TicketTag", customer="", staff=FULL),
        EnableTenantIsolation("IncidentTicket", customer="", staff=FULL),
        EnableTenantIsolation("TicketChange", customer="", staff=EDIT),
        # A follow-up is linked by the customer's own submission; a requirement's track begins with it.
        EnableTenantIsolation("TicketLink", customer=APPEND, staff=FULL),
        EnableTenantIsolation("RequirementStep", customer=APPEND, staff=APPEND),
        EnableTenantIsolation("AgentDraft", customer="", staff=FULL),
        GrantTable("Macro", app="", customer="", staff=EDIT),
    ]
