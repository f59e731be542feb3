"""Which tables there are, and what the database says of them."""

from __future__ import annotations

from django.apps import apps
from django.db import connection, models

from accounts.models import Tenant

# Tables that belong to no tenant, with the reason. Everything else must be isolated.
SHARED = {
    "accounts_user": "people sign in before they have a tenant; policies of its own",
    "accounts_staffmember": "published cards of staff",
    "accounts_sweepfailure": "what sweeps over all tenants could not do, closed to customers",
    "accounts_user_groups": "Django's own",
    "accounts_user_user_permissions": "Django's own",
    "account_emailaddress": "sign-in only, closed to customers",
    "account_emailconfirmation": "sign-in only, closed to customers",
    "auth_group": "Django's own",
    "auth_group_permissions": "Django's own",
    "auth_permission": "Django's own",
    "django_admin_log": "back office only",
    "django_content_type": "Django's own",
    "django_migrations": "Django's own",
    "django_session": "sign-in only, closed to customers",
    "supportplans_plan": "catalogue",
    "supportplans_planprice": "catalogue",
    "supportplans_responsetarget": "catalogue",
    "supportplans_servicegroup": "catalogue",
    "supportplans_serviceitem": "catalogue",
    "supportplans_entitlement": "catalogue",
    "supportplans_productline": "reference data",
    "supportplans_resourcepool": "reference data",
    "supportplans_agreement": "published text",
    "supportplans_figure": "figures of the rules",
    "billing_coupon": "terms of coupons",
    "billing_reconciliation": "a provider's whole day, closed to customers",
    "billing_difference": "found in a provider's whole day, closed to customers",
    "billing_ledgerproof": "a proof of the whole book, closed to customers",
    "billing_paymentnotification": "arrives before its tenant is known, closed to customers",
    "tickets_macro": "texts and actions of staff, closed to customers",
    "messaging_inboundmail": "arrives before its tenant is known, closed to customers",
    "tickets_ticketcategory": "reference data",
    "tickets_savedview": "filters that staff keeps, closed to customers",
    "tickets_tag": "reference data, closed to customers",
    "tickets_scopeitem": "reference data, closed to customers",
    "tickets_availability": "who of staff takes tickets, closed to customers",
    "tickets_incident": "touches many tenants, closed to customers",
    "tickets_sweepoutage": "when no worker swept, closed to customers",
    "tickets_tickettemplate": "reference data",
    "onlineservice_article": "published text",
}


def tenant_models() -> list[type[models.Model]]:
    """Return every model with a tenant."""
    return [m for m in apps.get_models() if any(f.name == "tenant" for f in m._meta.local_fields)]


def owned_models() -> list[type[models.Model]]:
    """Return the models whose rows always have a tenant."""
    return [m for m in tenant_models() if not m._meta.get_field("tenant").null]


def rows(statement: str, *parameters: object) -> list[tuple[object, ...]]:
    """Return what the database answers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def table_names() -> set[str]:
    """Return the tables of the portal."""
    return {
        str(name) for (name,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }


def isolated_tables() -> set[str]:
    """Return the tables that must be isolated."""
    return {m._meta.db_table for m in tenant_models()} | {Tenant._meta.db_table}
