"""Which macros somebody may use, and which they may change."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet

from accounts.access import Identity
from accounts.models.users import StaffRole
from tickets.models import Macro

TEAM_EDITORS = (StaffRole.TEAM_LEAD, StaffRole.DUTY_MANAGER)
MOST = 200


def macros_for(identity: Identity) -> QuerySet[Macro]:
    """Return the person's own macros and then the team's, also disabled ones, at most 200."""
    own = Q(owner=None) | Q(owner=identity.staff)
    return Macro.objects.filter(own).order_by(F("owner").desc(nulls_last=True), "name")[:MOST]


def macro_get_for(identity: Identity, pk: int) -> Macro | None:
    """Return a macro that the person may use, or None."""
    return Macro.objects.filter(Q(owner=None) | Q(owner=identity.staff), pk=pk).first()


def may_edit_team(identity: Identity) -> bool:
    """Return True for those who keep the team's macros: leads, duty managers and operators."""
    return identity.has_staff_role(*TEAM_EDITORS)


def may_edit(identity: Identity, macro: Macro) -> bool:
    """Return True if the person may change or disable the macro."""
    return may_edit_team(identity) if macro.owner_id is None else macro.owner == identity.staff
