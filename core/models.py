"""Abstract models."""

from __future__ import annotations

from django.db import models


class Timestamped(models.Model):
    """When the row was made. The instant comes from the service that makes it, not from the database."""

    created_at = models.DateTimeField()

    class Meta:
        abstract = True


class TenantOwned(models.Model):
    """A row that belongs to one tenant. Its table needs ``EnableTenantIsolation`` in the app's isolation migration;
    the isolation tests fail for one without."""

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


class Attributed(models.Model):
    """Who did it: the account, and the name and title as they were then.

    History shows the snapshot; a customer's transaction cannot read rows of staff or of other tenants' people.
    An empty ``actor`` is the system.
    """

    actor = models.ForeignKey(
        "accounts.User",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    actor_name = models.CharField(max_length=100, blank=True, default="")
    actor_title = models.CharField(max_length=50, blank=True, default="")

    class Meta:
        abstract = True
