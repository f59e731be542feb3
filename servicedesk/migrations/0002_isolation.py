"""Who may do what with service orders."""

from django.db import migrations

from core.tenancy.operations import APPEND, EDIT, EnableTenantIsolation


class Migration(migrations.Migration):
    dependencies = [("servicedesk", "0001_initial"), ("supportplans", "0002_isolation")]

    operations = [
        EnableTenantIsolation(
            "ServiceOrder", customer="SELECT, INSERT, UPDATE (state, reason)", staff=EDIT
        ),
        EnableTenantIsolation("ServiceOrderEvent", customer=APPEND, staff=APPEND),
        EnableTenantIsolation(
            "Deliverable", customer="SELECT, UPDATE (confirmed_at, confirmed_by)", staff=EDIT
        ),
        EnableTenantIsolation("ServiceOrderRating", customer=EDIT, staff=EDIT),
    ]
