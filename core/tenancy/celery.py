"""Tasks run in a scope, like requests. The tenant travels in the message's headers, never in its arguments."""

from __future__ import annotations

from typing import Any

from celery import Task

from core.tenancy import scope as scopes

TENANT_HEADER = "portal_tenant"


class TenantMissing(RuntimeError):
    """A task of a tenant was sent without one."""


def scope_headers() -> dict[str, int]:
    """Return the headers that carry the current scope to a worker."""
    current = scopes.current()
    if current is None or current.tenant_id is None:
        return {}
    return {TENANT_HEADER: current.tenant_id}


class ScopedTask(Task):  # type: ignore[misc]  # celery has no types
    """Base of all tasks. ``scope`` is ``"tenant"`` (default), ``"staff"``, or ``"none"`` for tasks that talk to the
    outside and open scopes around their own database steps, so that no transaction waits for a network."""

    abstract = True
    scope = "tenant"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body in the task\'s scope."""
        if self.scope == "none":
            return super().__call__(*args, **kwargs)
        if self.scope == "staff":
            with scopes.staff():
                return super().__call__(*args, **kwargs)
        with scopes.customer(self.tenant_id()):
            return super().__call__(*args, **kwargs)

    def tenant_id(self) -> int:
        """Return the tenant of the message being worked on. Raises TenantMissing."""
        tenant_id = (self.request.headers or {}).get(TENANT_HEADER) or self.request.get(
            TENANT_HEADER
        )
        if tenant_id is None:
            raise TenantMissing(f"{self.name} was sent without a tenant")
        return int(tenant_id)

    def apply_async(self, *args: Any, **options: Any) -> Any:
        """Send the task with the current scope in its headers."""
        options["headers"] = {**scope_headers(), **(options.get("headers") or {})}
        return super().apply_async(*args, **options)
