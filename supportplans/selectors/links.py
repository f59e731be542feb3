"""Reading linked accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from supportplans.models import AccountLink, Figure, Plan
from supportplans.selectors.figures import figures_at
from supportplans.selectors.subscriptions import subscription_current
from supportplans.states import LINK_OPEN_STATES, Basis, FigureCode, LinkSide, LinkState

PAGE = 50
HISTORY = 50


@dataclass(frozen=True)
class LinkRoom:
    """How many accounts a principal may link. ``open`` is False while the offer takes nobody new."""

    total: int
    taken: int
    open: bool

    @property
    def offered(self) -> bool:
        """Return True if the plan that runs has linked accounts at all."""
        return self.total > 0

    @property
    def left(self) -> int:
        """Return how many can still be proposed."""
        return max(0, self.total - self.taken)


def plan_that_links(tenant_id: int, at: datetime) -> Plan | None:
    """Return the running plan if it was bought and has linked accounts, and the offer lasts (domain.md §6)."""
    if not figures_at([FigureCode.LINK_OFFER], at)[FigureCode.LINK_OFFER]:
        return None
    running = subscription_current(tenant_id)
    if running is None or running.ends <= at or running.basis != Basis.PAID:
        return None
    return running.plan if running.plan.linked_accounts_max else None


def link_room(tenant_id: int, at: datetime) -> LinkRoom:
    """Return a principal's number of links; open proposals take a place each."""
    plan = plan_that_links(tenant_id, at)
    taken = AccountLink.objects.filter(
        tenant_id=tenant_id, side=LinkSide.PRINCIPAL, state__in=LINK_OPEN_STATES
    ).count()
    figures = figures_at([FigureCode.LINK_APPLICATIONS], at)
    return LinkRoom(
        total=plan.linked_accounts_max if plan else 0,
        taken=taken,
        open=bool(figures[FigureCode.LINK_APPLICATIONS]),
    )


def offer_ends(at: datetime) -> datetime | None:
    """Return when the offer of linked accounts ends, or None while no end is set."""
    ending = Figure.objects.filter(code=FigureCode.LINK_OFFER, value=0, effective_from__gt=at)
    return ending.order_by("effective_from").values_list("effective_from", flat=True).first()


def links_of(tenant_id: int) -> list[AccountLink]:
    """Return a tenant's links of both sides: the open ones first, then the latest of the others."""
    rows = AccountLink.objects.filter(tenant_id=tenant_id)
    return [
        *rows.filter(state__in=LINK_OPEN_STATES).order_by("pk"),
        *rows.exclude(state__in=LINK_OPEN_STATES).order_by("-pk")[:HISTORY],
    ]


def links_to_decide(after: int | None = None) -> list[AccountLink]:
    """Return one page of links that wait for an account manager, the oldest first; one row more says there is more."""
    waiting = AccountLink.objects.filter(side=LinkSide.PRINCIPAL, state=LinkState.ACCEPTED)
    if after is not None:
        waiting = waiting.filter(pk__gt=after)
    return list(waiting.select_related("tenant").order_by("pk")[: PAGE + 1])


def links_running(after: int | None = None) -> list[AccountLink]:
    """Return one page of links that run, the latest first, by the principal's side."""
    running = AccountLink.objects.filter(side=LinkSide.PRINCIPAL, state=LinkState.ACTIVE)
    if after is not None:
        running = running.filter(pk__lt=after)
    return list(running.select_related("tenant").order_by("-pk")[: PAGE + 1])
