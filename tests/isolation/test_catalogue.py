"""What the database's own catalogue says: policies, grants, constraints (isolation.md, tests 1 to 3)."""

import pytest
from django.db import connection

from tests.isolation.catalogue import SHARED, isolated_tables, rows, table_names, tenant_models

pytestmark = pytest.mark.django_db

OWN_ROWS = "(tenant_id = ( SELECT (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::bigint AS"


def test_every_table_is_isolated_or_on_the_list_of_shared_ones():
    assert table_names() - isolated_tables() == set(SHARED) & table_names()
    assert not isolated_tables() & set(SHARED)


def test_a_table_with_a_tenant_forces_its_policies():
    found = {
        name: (enabled, forced)
        for name, enabled, forced in rows(
            "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relkind = 'r'"
        )
    }
    assert {table: found[table] for table in isolated_tables()} == dict.fromkeys(
        isolated_tables(), (True, True)
    )


def test_policies_are_exactly_the_expected_ones():
    policies = rows(
        "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2"
    )
    for table, name, roles, command, using, check in policies:
        if table == "accounts_user":
            continue
        column = "id" if table == "accounts_tenant" else "tenant_id"
        if name == "tenant_rows":
            assert roles == "{portal_customer}"
            assert using.startswith(OWN_ROWS.replace("tenant_id =", f"{column} =", 1)), table
            assert check == using
        else:
            assert (name, roles) in {
                ("staff_rows", "{portal_staff}"),
                ("login_rows", "{portal_app}"),
            }
            assert (using, check) == ("true", "true")
        assert command == "ALL"
    assert {t for t, n, *_ in policies if n == "tenant_rows"} == isolated_tables() | {
        "accounts_user"
    }


GRANTS = (
    "SELECT coalesce(r.rolname, 'PUBLIC'), c.relname, a.privilege_type FROM pg_class c "
    "CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee "
    "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
)


def test_customers_delete_and_truncate_nothing_and_the_public_has_no_rights():
    grants = rows(GRANTS)
    assert {p for g, _, p in grants if g == "portal_customer"} == {"SELECT", "INSERT", "UPDATE"}
    assert [row for row in grants if row[0] == "PUBLIC"] == []


def test_customers_write_no_shared_table_and_cannot_read_what_is_for_sign_in():
    grants = [(t, p) for g, t, p in rows(GRANTS) if g == "portal_customer" and t in SHARED]
    assert {privilege for _, privilege in grants} == {"SELECT"}
    closed = {"django_session", "account_emailaddress", "django_admin_log"}
    assert not {table for table, _ in grants} & closed


def test_what_is_recorded_of_money_and_deeds_is_not_rewritten():
    grants = {(g, t, p) for g, t, p in rows(GRANTS)}
    for privilege in ("UPDATE", "DELETE"):
        assert ("portal_customer", "accounts_auditentry", privilege) not in grants
        assert ("portal_staff", "accounts_auditentry", privilege) not in grants
        assert ("portal_staff", "supportplans_paidline", privilege) not in grants


def test_nothing_runs_with_its_owners_rights():
    views = rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm') "
        "AND coalesce(array_to_string(reloptions, ','), '') NOT LIKE '%%security_invoker=true%%'"
    )
    functions = rows(
        "SELECT proname FROM pg_proc p LEFT JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' "
        "WHERE pronamespace = 'public'::regnamespace AND prosecdef AND d.objid IS NULL"
    )
    assert (views, functions) == ([], [])


def test_unique_constraints_of_tenants_tables_begin_with_the_tenant():
    found = rows(
        "SELECT c.relname, i.relname, (SELECT attname FROM pg_attribute a WHERE a.attrelid = c.oid "
        "AND a.attnum = x.indkey[0]) FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid "
        "JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indisunique AND NOT x.indisprimary AND c.relname = ANY(%s)",
        [m._meta.db_table for m in tenant_models()],
    )
    assert [row for row in found if row[2] != "tenant_id"] == []


def test_links_between_tenants_tables_have_their_composite_twin():
    tables = {m._meta.db_table for m in tenant_models()}
    wanted = {
        (model._meta.db_table, field.column, field.related_model._meta.db_table)
        for model in tenant_models()
        for field in model._meta.local_fields
        if field.is_relation and field.related_model._meta.db_table in tables
    }
    found = {
        (table, column, parent)
        for table, column, parent in rows(
            "SELECT k.conrelid::regclass::text, (SELECT attname FROM pg_attribute WHERE attrelid = k.conrelid "
            "AND attnum = k.conkey[2]), k.confrelid::regclass::text FROM pg_constraint k "
            "WHERE contype = 'f' AND cardinality(conkey) = 2"
        )
    }
    assert wanted - found == set()


def test_the_portal_runs_as_a_role_that_policies_bind():
    ((name, is_super, bypasses, inherits),) = rows(
        "SELECT rolname, rolsuper, rolbypassrls, pg_has_role(rolname, 'portal_staff', 'USAGE') "
        "FROM pg_roles WHERE rolname = session_user"
    )
    assert (name, is_super, bypasses, inherits) == ("portal_app", False, False, False)


def test_a_new_table_without_a_policy_would_be_found():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE unheard_of (id bigint, tenant_id bigint)")
        cursor.execute("SELECT relrowsecurity FROM pg_class WHERE relname = 'unheard_of'")
        assert cursor.fetchall() == [(False,)]
    assert "unheard_of" not in isolated_tables() | set(SHARED)
