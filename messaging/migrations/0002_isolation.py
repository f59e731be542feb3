"""Who may do what with messages."""

from django.db import migrations

from core.tenancy.operations import EDIT, EnableTenantIsolation, GrantTable


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial"), ("accounts", "0002_isolation")]

    operations = [
        EnableTenantIsolation("Message", customer="INSERT", staff=EDIT, app="INSERT"),
        EnableTenantIsolation("Delivery", customer="SELECT, UPDATE (read_at)", staff=EDIT),
        # Comes before anyone knows whose it is; customers have no right on it.
        GrantTable("InboundMail", app="", customer="", staff=EDIT),
    ]
