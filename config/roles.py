"""Make the portal's roles and database on a PostgreSQL server. Idempotent; the superuser is used for nothing else.

``python -m config.roles`` reads ADMIN_DATABASE_URL (a superuser), DATABASE_URL (portal_app, with its password) and
DATABASE_OWNER_URL (portal_owner, with its password and the database's name).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg2
from psycopg2 import sql

ROLES_SQL = Path(__file__).resolve().parent.parent / "core" / "tenancy" / "roles.sql"
# pg_trgm needs the C.UTF-8 character classes to see Chinese; the builtin provider sorts alike on every machine.
LOCALE = "ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
EXTENSIONS = ("pg_trgm", "btree_gist")


def make_roles(
    admin_url: str,
    *,
    database: str,
    owner_password: str,
    app_password: str,
    may_create_databases: bool,
) -> None:
    """Create or correct the roles, then the database owned by ``portal_owner`` with the extensions it needs.

    ``may_create_databases`` lets the owner make test databases: for development and CI only. Raises psycopg2.Error.
    """
    connection = psycopg2.connect(admin_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(ROLES_SQL.read_text(encoding="utf-8"))
        for role, password in (("portal_owner", owner_password), ("portal_app", app_password)):
            cursor.execute(
                sql.SQL("ALTER ROLE {} PASSWORD %s").format(sql.Identifier(role)), [password]
            )
        cursor.execute(
            "ALTER ROLE portal_owner " + ("CREATEDB" if may_create_databases else "NOCREATEDB")
        )
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        if cursor.fetchone() is None:
            cursor.execute(
                sql.SQL(
                    f"CREATE DATABASE {{}} OWNER portal_owner TEMPLATE template0 {LOCALE}"
                ).format(sql.Identifier(database))
            )
    connection.close()
    # Extensions also go into template1, so that test databases inherit them without a superuser.
    for name in (database, "template1") if may_create_databases else (database,):
        _make_extensions(admin_url, name)


def _make_extensions(admin_url: str, database: str) -> None:
    connection = psycopg2.connect(admin_url, dbname=database)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for extension in EXTENSIONS:
            cursor.execute(
                sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension))
            )
    connection.close()


def main() -> int:
    """Make roles and database from the environment."""
    try:
        admin_url = os.environ["ADMIN_DATABASE_URL"]
        app, owner = (
            urlsplit(os.environ["DATABASE_URL"]),
            urlsplit(os.environ["DATABASE_OWNER_URL"]),
        )
    except KeyError as missing:
        print(f"environment variable {missing.args[0]} is required", file=sys.stderr)  # noqa: T201
        return 2
    if (app.username, owner.username) != ("portal_app", "portal_owner"):
        print("DATABASE_URL must name portal_app, DATABASE_OWNER_URL portal_owner", file=sys.stderr)  # noqa: T201
        return 2
    make_roles(
        admin_url,
        database=unquote(owner.path.lstrip("/")),
        owner_password=unquote(owner.password or ""),
        app_password=unquote(app.password or ""),
        may_create_databases=os.environ.get("OWNER_MAY_CREATE_DATABASES", "") == "true",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
