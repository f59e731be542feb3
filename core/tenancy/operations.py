"""Migration operations: policies, grants and composite foreign keys. Table and column names come from the models.

An app's tables are made by its ``0001_initial``; ``0002_isolation`` says who may do what with each. A table without an
operation is closed to everything that runs.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from typing_extensions import override

APP, CUSTOMER, STAFF = "portal_app", "portal_customer", "portal_staff"
CURRENT_TENANT = "(SELECT nullif(current_setting('app.tenant_id', true), '')::bigint)"
READ = "SELECT"
APPEND = "SELECT, INSERT"
EDIT = "SELECT, INSERT, UPDATE"
FULL = "SELECT, INSERT, UPDATE, DELETE"


class _TableOperation(Operation):
    """An operation on the table of one model, run as SQL by the owner of the tables."""

    reduces_to_sql = True
    reversible = True

    @override
    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing of this is model state."""

    @override
    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Dropping the table drops policies, grants and constraints with it."""


def _grants(table: str, grants: dict[str, str]) -> list[str]:
    revoke = f'REVOKE ALL ON "{table}" FROM PUBLIC, {APP}, {CUSTOMER}, {STAFF}'
    return [
        revoke,
        *(f'GRANT {rights} ON "{table}" TO {role}' for role, rights in grants.items() if rights),
    ]


class EnableTenantIsolation(_TableOperation):
    """Force row-level security on a tenant's table (isolation.md, policy text).

    ``customer`` and ``staff`` are the rights of the two roles, ``app`` those of the login role (only for the few tables
    that sign-in reads). ``column`` is the tenant's column. Adds ``UNIQUE (column, id)`` and, for every foreign key to
    another tenant's table, its composite twin, because plain foreign keys do not ask the policies.
    """

    def __init__(
        self,
        model: str,
        *,
        customer: str = EDIT,
        staff: str = FULL,
        app: str = "",
        column: str = "tenant_id",
    ) -> None:
        self.model, self.customer, self.staff, self.app, self.column = (
            model,
            customer,
            staff,
            app,
            column,
        )

    @override
    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return the operation as a migration writes it."""
        return (
            self.__class__.__name__,
            [self.model],
            {
                "customer": self.customer,
                "staff": self.staff,
                "app": self.app,
                "column": self.column,
            },
        )

    @override
    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Write policies, grants, the pair's unique constraint and the composite foreign keys."""
        model = to_state.apps.get_model(app_label, self.model)
        table, column = model._meta.db_table, self.column
        own_rows = f"{column} = {CURRENT_TENANT}"
        statements = [
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
            f'CREATE POLICY tenant_rows ON "{table}" FOR ALL TO {CUSTOMER} USING ({own_rows}) WITH CHECK ({own_rows})',
            f'CREATE POLICY staff_rows ON "{table}" FOR ALL TO {STAFF} USING (true) WITH CHECK (true)',
        ]
        if self.app:
            statements.append(
                f'CREATE POLICY login_rows ON "{table}" FOR ALL TO {APP} USING (true) WITH CHECK (true)'
            )
        statements += _grants(table, {APP: self.app, CUSTOMER: self.customer, STAFF: self.staff})
        if column != "id":
            statements.append(
                f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_tenant_id_id" UNIQUE ({column}, id)'
            )
            statements += [self._composite(table, field) for field in _tenant_links(model)]
        for statement in statements:
            schema_editor.execute(statement)

    def _composite(self, table: str, field: models.ForeignKey[Any, Any]) -> str:
        parent = field.related_model._meta.db_table
        return (
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{field.column}_same_tenant" '
            f'FOREIGN KEY ({self.column}, "{field.column}") REFERENCES "{parent}" (tenant_id, id) '
            "DEFERRABLE INITIALLY DEFERRED"
        )

    @override
    def describe(self) -> str:
        """Return one line for the migration's output."""
        return f"Isolate the rows of {self.model} by tenant"


class GrantTable(_TableOperation):
    """Say who may use a table that belongs to no tenant. ``model`` is a model of the app,
    ``table`` any table's name.
    """

    def __init__(
        self,
        model: str = "",
        *,
        table: str = "",
        app: str = READ,
        customer: str = READ,
        staff: str = READ,
    ) -> None:
        self.model, self.table, self.app, self.customer, self.staff = (
            model,
            table,
            app,
            customer,
            staff,
        )

    @override
    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return the operation as a migration writes it."""
        options = {
            "table": self.table,
            "app": self.app,
            "customer": self.customer,
            "staff": self.staff,
        }
        return (self.__class__.__name__, [self.model], options)

    @override
    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Write the grants."""
        table = self.table or to_state.apps.get_model(app_label, self.model)._meta.db_table
        for statement in _grants(
            table, {APP: self.app, CUSTOMER: self.customer, STAFF: self.staff}
        ):
            schema_editor.execute(statement)

    @override
    def describe(self) -> str:
        """Return one line for the migration's output."""
        return f"Grant rights on {self.model or self.table}"


def _tenant_links(model: type[models.Model]) -> list[models.ForeignKey[Any, Any]]:
    """Return the foreign keys of ``model`` that lead to another tenant's table (a model with a ``tenant`` field)."""
    return [
        field
        for field in model._meta.local_concrete_fields
        if isinstance(field, models.ForeignKey)
        and field.name != "tenant"
        and any(f.name == "tenant" for f in field.related_model._meta.local_concrete_fields)
    ]
