"""Who may do what with reports."""

from django.db import migrations

from core.tenancy.operations import EDIT, READ, EnableTenantIsolation


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_initial"), ("accounts", "0002_isolation")]

    operations = [EnableTenantIsolation("MonthlyReport", customer=READ, staff=EDIT)]
