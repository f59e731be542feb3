"""Which rows the current transaction may see. Decided by the database (two roles, forced policies), asked for here.

``customer(tenant_id)`` and ``staff()`` open a transaction and take a role in it with one round
trip. Without a scope the
login role ``portal_app`` has no right on tenants' tables: a forgotten scope is *permission denied*, not an empty page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection, transaction

Chunk = TypeVar("Chunk")
CUSTOMER_ROLE = "portal_customer"
STAFF_ROLE = "portal_staff"


class CrossTenant(RuntimeError):
    """A customer's scope must never become another scope: that is a programming error."""


@dataclass(frozen=True)
class Scope:
    """A role of the database and, for customers, the tenant whose rows it sees."""

    role: str
    tenant_id: int | None = None


_current: ContextVar[Scope | None] = ContextVar("tenant_scope", default=None)


def current() -> Scope | None:
    """Return the scope that the current code runs in, or None."""
    return _current.get()


def customer(tenant_id: int) -> AbstractContextManager[Scope]:
    """See and write the rows of one tenant only. Raises TypeError without an id, CrossTenant
    inside another tenant's.
    """
    if not isinstance(tenant_id, int) or isinstance(tenant_id, bool):
        raise TypeError("customer() takes the id of a tenant")
    return _enter(Scope(CUSTOMER_ROLE, tenant_id))


def staff() -> AbstractContextManager[Scope]:
    """See and write all tenants' rows. Raises CrossTenant inside a customer's scope."""
    return _enter(Scope(STAFF_ROLE))


def stream(
    scope: Callable[[], AbstractContextManager[Scope]], make: Callable[[], Iterator[Chunk]]
) -> Iterator[Chunk]:
    """Yield the body of a streaming response inside a scope of its own: it is sent after the middleware has left.

    A client that hangs up closes the generator, which ends the transaction.
    """
    with scope():
        yield from make()


@contextmanager
def _enter(scope: Scope) -> Iterator[Scope]:
    outer = _current.get()
    if outer is not None and outer.role == CUSTOMER_ROLE and outer != scope:
        raise CrossTenant(f"{outer} cannot become {scope}")
    nested = connection.in_atomic_block
    with transaction.atomic():
        _take(scope)
        token = _current.set(scope)
        try:
            yield scope
        finally:
            _current.reset(token)
        # SET LOCAL lasts to the end of the outer transaction: put back what was there. After an error the
        # savepoint's rollback does it.
        if nested and not connection.needs_rollback:
            _take(outer)


def _take(scope: Scope | None) -> None:
    role = scope.role if scope else "none"
    tenant = str(scope.tenant_id) if scope and scope.tenant_id is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('role', %s, true), set_config('app.tenant_id', %s, true)",
            [role, tenant],
        )
