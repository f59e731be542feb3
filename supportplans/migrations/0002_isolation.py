"""Who may do what with the tables of plans and subscriptions."""

from django.db import migrations

from core.tenancy.operations import APPEND, EDIT, FULL, READ, EnableTenantIsolation, GrantTable

EDITED_BY_STAFF = {"app": READ, "customer": READ, "staff": FULL}


class Migration(migrations.Migration):
    dependencies = [("supportplans", "0001_initial"), ("accounts", "0002_isolation")]

    operations = [
        GrantTable("Plan", **EDITED_BY_STAFF),
        GrantTable("PlanPrice", **EDITED_BY_STAFF),
        GrantTable("ResponseTarget", **EDITED_BY_STAFF),
        GrantTable("ServiceGroup", **EDITED_BY_STAFF),
        GrantTable("ServiceItem", **EDITED_BY_STAFF),
        GrantTable("Entitlement", **EDITED_BY_STAFF),
        GrantTable("ProductLine", **EDITED_BY_STAFF),
        GrantTable("ResourcePool", **EDITED_BY_STAFF),
        GrantTable("Agreement", **EDITED_BY_STAFF),
        GrantTable("Figure", **EDITED_BY_STAFF),
        # What a customer has follows from orders: workers and staff write it.
        EnableTenantIsolation("Subscription", customer=READ),
        EnableTenantIsolation(
            "PaidLine", customer=READ, staff=APPEND + ", UPDATE (closed_at, settled_amount)"
        ),
        EnableTenantIsolation("SubscriptionEvent", customer=READ, staff=APPEND),
        EnableTenantIsolation("SubscriptionNotice", customer=READ, staff=APPEND),
        EnableTenantIsolation("AssuranceWindow", customer=APPEND),
        EnableTenantIsolation("QuotaUse", customer=APPEND),
        EnableTenantIsolation(
            "AccountLink",
            customer=f"{APPEND}, UPDATE (state, told, decided_at, decided_by, ended_at, end_reason)",
            staff=EDIT,
        ),
        EnableTenantIsolation(
            "TrialApplication", customer=f"{APPEND}, UPDATE (state, decided_at)", staff=EDIT
        ),
    ]
