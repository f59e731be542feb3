"""Linked accounts: proposed by the principal, accepted by the other account, approved by an account manager.

A customer's transaction writes its own side only. ``links_carry`` takes over to the other side what one side did, in
staff's scope, so that nobody needs a right on another tenant's rows. What staff and plan changes do is written on both
sides at once. Locks: tenants in the order of their ids, then links in the order of theirs.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.access import SYSTEM, Actor
from accounts.models import Tenant
from core.events import publish
from core.jobs import enqueue
from messaging.services import notify
from supportplans import exceptions as errors
from supportplans.events import LinkChanged
from supportplans.locks import lock_links, lock_tenant, lock_tenant_of
from supportplans.models import AccountLink, Plan
from supportplans.selectors.figures import days_of, figure_at
from supportplans.selectors.links import link_room, plan_that_links
from supportplans.states import LINK_OPEN_STATES, FigureCode, LinkEnd, LinkSide, LinkState

BATCH = 200
_FINAL = ("state", "answer", "decided_at", "decided_by", "ended_at", "end_reason", "told")


@transaction.atomic
def link_propose(
    *, tenant_id: int, account_id: uuid.UUID, name: str, actor: Actor, at: datetime
) -> AccountLink:
    """Ask another account, known by its id, to be linked; ``name`` is what the principal calls it.

    Whether such an account exists is not told: an invitation that nobody receives lapses. The same again returns the
    open one. Raises LinkNotOffered, LinkApplicationsClosed, LinkLimitReached, LinkToItself.
    """
    lock_tenant(tenant_id)
    if account_id == Tenant.objects.values_list("public_id", flat=True).get(pk=tenant_id):
        raise errors.LinkToItself(field="account_id")
    rows = AccountLink.objects.filter(tenant_id=tenant_id, side=LinkSide.PRINCIPAL)
    existing = rows.filter(account_id=account_id, state__in=LINK_OPEN_STATES).first()
    if existing is not None:
        return existing
    room = link_room(tenant_id, at)
    if not room.offered:
        raise errors.LinkNotOffered
    if not room.open:
        raise errors.LinkApplicationsClosed
    if not room.left:
        raise errors.LinkLimitReached
    link = AccountLink.objects.create(
        tenant_id=tenant_id,
        side=LinkSide.PRINCIPAL,
        pair=uuid.uuid4(),
        account_id=account_id,
        name=name.strip()[:100],
        created_at=at,
        **actor.snapshot(),
    )
    enqueue("supportplans.links_carry")
    return link


@transaction.atomic
def link_accept(*, link_id: int, actor: Actor, at: datetime) -> AccountLink:
    """Agree to be linked, on the invited account's side; an account manager decides next.

    Raises LinkMoveRefused, LinkHasPrincipal while another principal is there or waits for approval.
    """
    link = _own(link_id, LinkSide.LINKED)
    try:
        with transaction.atomic():
            _turn(link, LinkState.ACCEPTED, by=actor, at=at)
    except IntegrityError:
        raise errors.LinkHasPrincipal from None
    return link


@transaction.atomic
def link_refuse(*, link_id: int, actor: Actor, at: datetime) -> AccountLink:
    """Decline an invitation, or take back having accepted it. Raises LinkMoveRefused."""
    link = _own(link_id, LinkSide.LINKED)
    _turn(link, LinkState.REFUSED, by=actor, at=at)
    return link


@transaction.atomic
def link_withdraw(*, link_id: int, actor: Actor, at: datetime) -> AccountLink:
    """Take a proposal back before it was approved, on the principal's side. Raises LinkMoveRefused."""
    link = _own(link_id, LinkSide.PRINCIPAL)
    _turn(link, LinkState.WITHDRAWN, by=actor, at=at)
    return link


@transaction.atomic
def link_end(*, link_id: int, actor: Actor, at: datetime) -> AccountLink:
    """End a running link, by either account. Raises LinkMoveRefused."""
    link = _own(link_id)
    reason = LinkEnd.PRINCIPAL if link.side == LinkSide.PRINCIPAL else LinkEnd.LINKED
    _turn(link, LinkState.ENDED, by=actor, at=at, reason=reason)
    return link


@transaction.atomic
def link_approve(*, link_id: int, actor: Actor, at: datetime) -> AccountLink:
    """Let a link run, by the principal's side's id; it counts from now. Runs in staff's scope.

    Raises LinkMoveRefused, LinkNotOffered when the plan has ended or the offer is over, LinkLimitReached.
    """
    principal, linked = _both(link_id)
    plan = plan_that_links(principal.tenant_id, at)
    if plan is None:
        raise errors.LinkNotOffered
    if _running(principal.tenant_id).count() >= plan.linked_accounts_max:
        raise errors.LinkLimitReached
    linked.restore_priority = plan.restore_priority
    linked.save(update_fields=["restore_priority"])
    _decide(principal, linked, LinkState.ACTIVE, actor=actor, at=at)
    publish(LinkChanged(tenant_id=linked.tenant_id, priority=plan.restore_priority, at=at))
    return principal


@transaction.atomic
def link_reject(*, link_id: int, answer: str, actor: Actor, at: datetime) -> AccountLink:
    """Refuse a link that both accounts want, with a reason that they read. Raises AnswerMissing, LinkMoveRefused."""
    if not answer.strip():
        raise errors.AnswerMissing(field="answer")
    principal, linked = _both(link_id)
    for link in (principal, linked):
        link.answer = answer.strip()[:500]
    _decide(principal, linked, LinkState.REJECTED, actor=actor, at=at)
    return principal


@transaction.atomic
def link_end_by_staff(*, link_id: int, actor: Actor, at: datetime) -> AccountLink:
    """End a running link for both accounts. Raises LinkMoveRefused."""
    principal, linked = _both(link_id)
    _end([principal, linked], LinkState.ENDED, LinkEnd.STAFF, by=actor, at=at)
    return principal


@transaction.atomic(savepoint=False)
def links_follow_plan(*, tenant_id: int, plan_code: str, at: datetime) -> None:
    """Bring a principal's links to its plan: the latest beyond the plan's number end, the others take its priority.

    On leaving and expiry the plan is standard service, and all end (domain.md §6). The caller holds the tenant's lock.
    """
    pairs = _sides_of(
        AccountLink.objects.filter(
            tenant_id=tenant_id, side=LinkSide.PRINCIPAL, state__in=LINK_OPEN_STATES
        )
    )
    if not pairs:
        return  # the usual case
    plan = Plan.objects.get(code=plan_code)
    own = [
        link
        for sides in pairs.values()
        for link in sides
        if link.tenant_id == tenant_id and link.is_open
    ]
    # Those that run stay before those that are only asked for; among them the earliest.
    own.sort(key=lambda link: (link.state != LinkState.ACTIVE, link.decided_at or at, link.pk))
    for link in own[plan.linked_accounts_max :]:
        state = LinkState.ENDED if link.state == LinkState.ACTIVE else LinkState.LAPSED
        _end(pairs[link.pair], state, LinkEnd.PLAN, by=SYSTEM, at=at)
    for link in own[: plan.linked_accounts_max]:
        for side in pairs[link.pair]:
            if side.state == LinkState.ACTIVE and side.side == LinkSide.LINKED:
                side.restore_priority = plan.restore_priority
                side.save(update_fields=["restore_priority"])
                publish(
                    LinkChanged(tenant_id=side.tenant_id, priority=plan.restore_priority, at=at)
                )


@transaction.atomic
def links_end_due(*, at: datetime) -> int:
    """End what has lasted too long, in a batch: invitations nobody answered, and everything once the offer is over.

    Returns how many links ended. Safe to run twice and side by side.
    """
    if figure_at(FigureCode.LINK_OFFER, at):
        waited = at - days_of(figure_at(FigureCode.LINK_ANSWER_DAYS, at))
        due = {"state": LinkState.PROPOSED, "created_at__lte": waited}
        reason = LinkEnd.UNANSWERED
    else:
        due = {"state__in": LINK_OPEN_STATES}
        reason = LinkEnd.OFFER
    asked = AccountLink.objects.filter(side=LinkSide.PRINCIPAL, **due)
    pairs = _sides_of(asked)
    for sides in pairs.values():
        # What was answered or ended between the question and the lock is somebody else's.
        for link in sides:
            if link.side == LinkSide.PRINCIPAL and link.is_open:
                state = LinkState.ENDED if link.state == LinkState.ACTIVE else LinkState.LAPSED
                _end(sides, state, reason, by=SYSTEM, at=at)
    return len(pairs)


@transaction.atomic
def links_carry(*, at: datetime) -> int:
    """Carry over to the other account what one account did; return how many rows were taken. Safe to run twice."""
    carried = 0
    for sides in _sides_of(AccountLink.objects.filter(told=False)).values():
        for link in sides:
            if not link.told:
                _carry(link, sides, at)
                link.told = True
                link.save(update_fields=["told"])
                carried += 1
    return carried


def _carry(link: AccountLink, sides: Sequence[AccountLink], at: datetime) -> None:
    """Bring the other side to what ``link`` says. What has ended on one side wins over what is open on the other."""
    other = next((side for side in sides if side.side != link.side), None)
    if other is None:
        if link.side == LinkSide.PRINCIPAL and link.state == LinkState.PROPOSED:
            _invite(link, at)
        return
    if other.state == link.state or not other.is_open:
        return
    if link.state == LinkState.ACCEPTED:
        if other.state == LinkState.PROPOSED:
            other.state, other.name = link.state, link.tenant.name
            other.save(update_fields=["state", "name"])
            _tell(other, "supportplans.link_to_approve", ["tenant:account_manager"], at)
    elif not link.is_open:
        _end([other], LinkState(link.state), LinkEnd(link.end_reason), by=SYSTEM, at=at)


def _invite(link: AccountLink, at: datetime) -> None:
    """Give the invited account its side, where there is such an account."""
    account = Tenant.objects.filter(public_id=link.account_id, is_active=True).first()
    if account is None:
        return
    invitation, created = AccountLink.objects.get_or_create(
        tenant=account,
        pair=link.pair,
        defaults={
            "side": LinkSide.LINKED,
            "account_id": link.tenant.public_id,
            "name": link.tenant.name,
            "told": True,
            "created_at": at,
            "actor_name": link.actor_name,
            "actor_title": link.actor_title,
        },
    )
    if created:
        _tell(invitation, "supportplans.link_invited", ["tenant:administrators"], at)


def _own(link_id: int, side: LinkSide | None = None) -> AccountLink:
    """Return a customer's own row, locked after its tenant."""
    lock_tenant_of(AccountLink, id=link_id)
    link = lock_links().get(pk=link_id)
    if side is not None and link.side != side:
        raise errors.LinkMoveRefused
    return link


def _turn(
    link: AccountLink, to: LinkState, *, by: Actor, at: datetime, reason: LinkEnd = LinkEnd.NONE
) -> None:
    """Move a customer's own row; the worker tells the other side."""
    if not link.can_become(to):
        raise errors.LinkMoveRefused
    link.state, link.told = to, False
    link.decided_at, link.decided_by = at, by.name
    if not link.is_open:
        link.ended_at, link.end_reason = at, reason
    link.save(update_fields=["state", "told", "decided_at", "decided_by", "ended_at", "end_reason"])
    enqueue("supportplans.links_carry")


def _both(link_id: int) -> tuple[AccountLink, AccountLink]:
    """Return principal's and linked account's side of a link by one of their ids, locked after their tenants."""
    pair = AccountLink.objects.values_list("pair", flat=True).get(pk=link_id)
    sides = AccountLink.objects.filter(pair=pair)
    for tenant_id in sorted(sides.values_list("tenant_id", flat=True)):
        lock_tenant(tenant_id)
    rows = {link.side: link for link in lock_links().filter(pair=pair).select_related("tenant")}
    if len(rows) != len(LinkSide):
        raise errors.LinkMoveRefused  # the invitation has not reached anybody
    return rows[LinkSide.PRINCIPAL], rows[LinkSide.LINKED]


def _sides_of(links: QuerySet[AccountLink]) -> dict[uuid.UUID, list[AccountLink]]:
    """Return both sides of these links, a batch of them, by pair, locked in the order of their ids."""
    asked = list(links.order_by("pk").values_list("pair", flat=True)[:BATCH])
    sides: dict[uuid.UUID, list[AccountLink]] = {pair: [] for pair in asked}
    for link in lock_links().filter(pair__in=asked).select_related("tenant"):
        sides[link.pair].append(link)
    return sides


def _running(tenant_id: int) -> QuerySet[AccountLink]:
    return AccountLink.objects.filter(
        tenant_id=tenant_id, side=LinkSide.PRINCIPAL, state=LinkState.ACTIVE
    )


def _decide(
    principal: AccountLink, linked: AccountLink, to: LinkState, *, actor: Actor, at: datetime
) -> None:
    """Write an account manager's decision on both sides and tell both. Raises LinkMoveRefused."""
    for link in (principal, linked):
        if not link.can_become(to):
            raise errors.LinkMoveRefused
        link.state, link.told = to, True
        link.decided_at, link.decided_by = at, actor.name
        if not link.is_open:
            link.ended_at = at
        link.save(update_fields=_FINAL)
        _tell(link, "supportplans.link_changed", ["tenant:administrators"], at)


def _end(
    sides: Sequence[AccountLink], to: LinkState, reason: LinkEnd, *, by: Actor, at: datetime
) -> None:
    """End sides of one link, tell their accounts, and publish what an account loses. Closed sides stay as they are."""
    ran = any(link.state == LinkState.ACTIVE for link in sides)
    for link in sides:
        if not link.is_open:
            continue
        if to == LinkState.ENDED and link.state != LinkState.ACTIVE:
            raise errors.LinkMoveRefused
        link.state, link.told = to, True
        link.ended_at, link.end_reason, link.decided_by = at, reason, by.name
        link.save(update_fields=_FINAL)
        _tell(link, "supportplans.link_changed", ["tenant:administrators"], at)
    if ran:
        linked = AccountLink.objects.filter(pair=sides[0].pair, side=LinkSide.LINKED)
        tenant_id = linked.values_list("tenant_id", flat=True).get()
        publish(LinkChanged(tenant_id=tenant_id, priority=None, at=at))


def _tell(link: AccountLink, kind: str, audience: list[str], at: datetime) -> None:
    notify(
        kind,
        key=f"link-{link.pk}-{link.state}",
        audience=audience,
        context={
            "name": link.name,
            "own": link.tenant.name,
            "state": link.state,
            "side": link.side,
            "reason": link.end_reason,
            "answer": link.answer,
        },
        url="/support/links/",
        staff_url="/desk/links/",
        tenant_id=link.tenant_id,
        at=at,
    )
