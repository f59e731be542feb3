"""Keeping views of the search."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.access import Actor
from accounts.models.users import StaffRole
from accounts.services.audit import audit_record
from tickets.exceptions import TooManyViews, ViewNotYours
from tickets.models import SavedView

VIEWS_MOST = 20
SHARING_ROLES = frozenset({StaffRole.TEAM_LEAD, StaffRole.DUTY_MANAGER, StaffRole.OPERATOR})


@transaction.atomic
def view_save(
    *, name: str, filters: dict[str, str], is_shared: bool, actor: Actor, at: datetime
) -> SavedView:
    """Keep filters under a name; the same name of the same person gets the new ones.

    Only leads share with the team: others' views stay their own. Raises TooManyViews.
    """
    card = actor.staff_member()
    own = SavedView.objects.select_for_update(of=("self",)).filter(owner=card)
    if own.count() >= VIEWS_MOST and not own.filter(name=name).exists():
        raise TooManyViews
    shared = is_shared and bool(SHARING_ROLES & set(card.roles))
    view, _ = SavedView.objects.update_or_create(
        owner=card,
        name=name,
        defaults={"filters": filters, "is_shared": shared},
        create_defaults={"filters": filters, "is_shared": shared, "created_at": at},
    )
    if shared:
        _record("tickets.view_share", view, actor, at)
    return view


@transaction.atomic
def view_delete(*, view_id: int, actor: Actor, at: datetime) -> None:
    """Forget a view. Raises ViewNotYours for one of somebody else."""
    view = SavedView.objects.select_for_update(of=("self",)).filter(pk=view_id).first()
    if view is None or view.owner_id != actor.staff_member().pk:
        raise ViewNotYours
    if view.is_shared:
        _record("tickets.view_unshare", view, actor, at)
    view.delete()


def _record(action: str, view: SavedView, actor: Actor, at: datetime) -> None:
    audit_record(
        action=action,
        subject=view.name,
        details={"filters": view.filters},
        actor=actor,
        at=at,
        tenant_id=None,
    )
