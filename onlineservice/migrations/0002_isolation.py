"""Who may do what with help articles."""

from django.db import migrations

from core.tenancy.operations import FULL, READ, GrantTable


class Migration(migrations.Migration):
    dependencies = [("onlineservice", "0001_initial"), ("accounts", "0002_isolation")]

    operations = [GrantTable("Article", app=READ, customer=READ, staff=FULL)]
