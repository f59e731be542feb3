"""Refuse to run with a role for which the policies do not count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_SUPER = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user"


def refuse_superuser(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Close a connection whose role bypasses row-level security. Raises ImproperlyConfigured."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(_SUPER)
        (bypasses,) = cursor.fetchone()
    if bypasses:
        connection.close()
        raise ImproperlyConfigured(
            "the database role bypasses row-level security; use portal_app or portal_owner"
        )


connection_created.connect(refuse_superuser, dispatch_uid="core.tenancy.refuse_superuser")


@register("database")
def role_is_bound(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Report a role that bypasses the policies (``manage.py check --database default``)."""
    if not databases:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_SUPER)
        (bypasses,) = cursor.fetchone()
    if not bypasses:
        return []
    return [Error("the database role bypasses row-level security", id="tenancy.E001")]
