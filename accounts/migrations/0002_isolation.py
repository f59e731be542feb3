"""Who may do what with the tables of accounts, Django and allauth."""

from django.db import migrations

from core.tenancy.operations import APPEND, EDIT, FULL, READ, EnableTenantIsolation, GrantTable

# The published columns of staff stand in StaffMember; customers see the accounts of their own people only.
OWN_PEOPLE = """
ALTER TABLE accounts_user ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts_user FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON accounts_user FOR ALL TO portal_customer
  USING (id IN (SELECT user_id FROM accounts_membership
                WHERE tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint)));
CREATE POLICY staff_rows ON accounts_user FOR ALL TO portal_staff USING (true) WITH CHECK (true);
CREATE POLICY login_rows ON accounts_user FOR ALL TO portal_app USING (true) WITH CHECK (true);
"""
NUMBERS = """
CREATE SEQUENCE portal_number_seq;
GRANT USAGE ON SEQUENCE portal_number_seq TO portal_app, portal_customer, portal_staff;
"""
BACK_OFFICE = {"app": "", "customer": "", "staff": FULL}
SIGN_IN_ONLY = {"app": FULL, "customer": "", "staff": FULL}


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(OWN_PEOPLE, migrations.RunSQL.noop),
        migrations.RunSQL(NUMBERS, "DROP SEQUENCE portal_number_seq"),
        GrantTable("User", app=EDIT, customer=READ, staff=EDIT),
        GrantTable("StaffMember", app=READ, customer=READ, staff=EDIT),
        EnableTenantIsolation(
            "Tenant",
            column="id",
            customer="SELECT, UPDATE (name, contact_name, contact_phone)",
            staff=EDIT,
            app=APPEND,
        ),
        EnableTenantIsolation("Membership", customer=EDIT, staff=EDIT, app=EDIT),
        EnableTenantIsolation("Invitation", customer=EDIT, staff=EDIT, app="SELECT, UPDATE"),
        EnableTenantIsolation("AuditEntry", customer="INSERT", staff=APPEND, app="INSERT"),
        GrantTable("SweepFailure", app="", customer="", staff=FULL),
        GrantTable(table="django_session", **SIGN_IN_ONLY),
        GrantTable(table="account_emailaddress", **SIGN_IN_ONLY),
        GrantTable(table="account_emailconfirmation", **SIGN_IN_ONLY),
        GrantTable(table="django_admin_log", **BACK_OFFICE),
        GrantTable(table="auth_group", app=READ, customer="", staff=FULL),
        GrantTable(table="auth_permission", app=READ, customer="", staff=READ),
        GrantTable(table="auth_group_permissions", app=READ, customer="", staff=FULL),
        GrantTable(table="accounts_user_groups", app=READ, customer="", staff=FULL),
        GrantTable(table="accounts_user_user_permissions", app=READ, customer="", staff=FULL),
        GrantTable(table="django_content_type", app=READ, customer=READ, staff=READ),
        GrantTable(table="django_migrations", app=READ, customer="", staff=READ),
    ]
