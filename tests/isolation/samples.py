"""Make one plausible row of any model, so that a new model is covered by itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from accounts.access import Actor
from accounts.models import Tenant, User
from billing.services.ledger import balance_top_up
from core import clock

# Only customers themselves add these.
WRITTEN_BY_CUSTOMERS = {"billing.AgreementAcceptance"}


def sample_row(model: type[models.Model], tenant: Tenant) -> Any:
    """Write and return a row of ``model`` for ``tenant``, with the parents it needs."""
    if model._meta.app_label == "billing" and model.__name__.startswith("Ledger"):
        _post_money(tenant)
    existing = _reusable(model, tenant)
    if existing is not None:
        return existing
    values: dict[str, Any] = {}
    for field in model._meta.local_concrete_fields:
        if field.primary_key or field.generated:
            continue
        if field.name == "tenant":
            values["tenant"] = tenant
        elif isinstance(field, models.ForeignKey):
            if not field.null:
                values[field.name] = _parent(field.related_model, tenant)
        elif isinstance(field, ArrayField):
            # Arrays that belong together have equal lengths.
            values[field.name] = [_value(field.base_field)]
        elif not field.has_default() and not field.null:
            values[field.name] = _value(field)
    row = model(**values)
    model._default_manager.bulk_create([row])
    return row


def _post_money(tenant: Tenant) -> None:
    """Postings balance or do not exist: only the service makes one."""
    person = User.objects.filter(memberships__tenant=tenant).first()
    balance_top_up(
        tenant_id=tenant.pk,
        amount=Decimal("1.00"),
        note="",
        actor=Actor(user=person, name=str(person)),
        at=clock.now(),
    )


def _reusable(model: type[models.Model], tenant: Tenant) -> Any:
    return model._default_manager.filter(tenant=tenant).order_by("pk").first()


def _parent(model: type[models.Model], tenant: Tenant) -> Any:
    if any(f.name == "tenant" for f in model._meta.local_fields):
        return sample_row(model, tenant)
    if model is User:
        return User.objects.filter(memberships__tenant=tenant).first()
    found = model._default_manager.first()
    if found is None:
        values = {
            f.name: _parent(f.related_model, tenant)
            if isinstance(f, models.ForeignKey)
            else _value(f)
            for f in model._meta.local_concrete_fields
            if not f.primary_key and not f.null and not f.has_default() and not f.generated
        }
        found = model._default_manager.create(**values)
    return found


def _value(field: models.Field[Any, Any]) -> Any:
    if field.choices:
        return next(iter(field.flatchoices))[0]
    if isinstance(field, models.DateTimeField):
        # Ends lie after starts.
        later = any(word in field.name for word in ("end", "until", "expires", "due"))
        return clock.now() + clock.timedelta(days=1 if later else 0)
    if isinstance(field, models.DateField):
        return clock.now().date()
    if isinstance(field, models.DecimalField):
        return Decimal("1.00")
    if isinstance(field, models.BooleanField):
        return False
    if isinstance(field, models.IntegerField):
        return 1
    if isinstance(field, ArrayField):
        return []
    if isinstance(field, models.JSONField):
        return {}
    if isinstance(field, SearchVectorField):
        return "'a':1"
    if isinstance(field, models.UUIDField):
        import uuid

        return uuid.uuid4()
    return "x"
