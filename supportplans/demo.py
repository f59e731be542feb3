"""Demo data of plans: each customer on another level, and assurance windows for the calendar."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.access import SYSTEM, Actor
from accounts.models import Membership, Tenant
from accounts.models.tenants import TenantRole
from core import clock
from core.tenancy import scope
from supportplans.models import (
    AccountLink,
    AssuranceWindow,
    QuotaUse,
    ServiceItem,
    Subscription,
    TrialApplication,
)
from supportplans.selectors.catalogue import price_at
from supportplans.services.links import link_accept, link_approve, link_propose, links_carry
from supportplans.services.subscriptions import NewPaidLine, subscription_start
from supportplans.services.trials import trial_apply
from supportplans.states import Basis, LineKind, LinkState, PlanCode, QuotaState, WindowState

# Customer, level, basis, days since the start; a trial runs 30 days, a paid term one year.
HOLDERS = (
    ("华辰科技", PlanCode.ENTERPRISE, Basis.PAID, 267),
    ("云帆物流", PlanCode.BUSINESS, Basis.PAID, 219),
    ("青禾教育", PlanCode.LITE, Basis.PAID, 120),
    ("启明医疗", PlanCode.ENTERPRISE, Basis.TRIAL, 12),
)
# Customer, level, event, first day from now, days, state.
WINDOWS = (
    ("华辰科技", 2, "系统割接", -4, 4, WindowState.APPROVED),
    ("华辰科技", 1, "双十二大促", 18, 3, WindowState.REQUESTED),
    ("云帆物流", 3, "大促", 2, 6, WindowState.APPROVED),
    ("云帆物流", 3, "年货节", 16, 8, WindowState.REQUESTED),
    ("青禾教育", 3, "期末考试", 9, 7, WindowState.APPROVED),
)
TRIAL_DAYS = 30
# Customer, level, why: an application that waits for the account manager.
TRIAL = ("木棉传媒", PlanCode.BUSINESS, "年底有直播活动，想先试用专属服务经理和资源监控。")

# Principal, linked account, how far it has come.
LINKS = (
    ("华辰科技", "青禾教育", LinkState.ACTIVE),
    ("华辰科技", "木棉传媒", LinkState.ACCEPTED),
    ("云帆物流", "启明医疗", LinkState.PROPOSED),
)


def load(at: datetime) -> None:
    """Make what is missing."""
    with scope.staff():
        tenants = {tenant.name: tenant for tenant in Tenant.objects.all()}
        for name, plan_code, basis, days_ago in HOLDERS:
            _subscribe(tenants[name], plan_code, basis, at - timedelta(days=days_ago, hours=2))
        item = ServiceItem.objects.get(code="major_event_assurance")
        midnight = clock.local(at).replace(hour=0, minute=0, second=0, microsecond=0)
        for name, level, title, first, days, state in WINDOWS:
            starts = midnight + timedelta(days=first)
            window, created = AssuranceWindow.objects.get_or_create(
                tenant=tenants[name],
                title=title,
                defaults={
                    "level": level,
                    "starts": starts,
                    "ends": starts + timedelta(days=days),
                    "state": state,
                    "created_at": at - timedelta(days=21),
                },
            )
            if created:
                _use_quota(tenants[name], item, window)
        _apply_for_trial(tenants[TRIAL[0]], at)
        if not AccountLink.objects.exists():
            for days, (principal, linked, reached) in enumerate(LINKS, start=3):
                _link(tenants[principal], tenants[linked], reached, at - timedelta(days=days))


def _subscribe(tenant: Tenant, plan_code: PlanCode, basis: Basis, starts: datetime) -> None:
    if Subscription.objects.filter(tenant=tenant).exists():
        return
    ends = (
        clock.add_years(starts, 1) if basis == Basis.PAID else starts + timedelta(days=TRIAL_DAYS)
    )
    price = price_at(plan_code, starts)
    line = NewPaidLine(
        order_number=f"{clock.local(starts):%Y%m%d%H%M%S}000000",
        kind=LineKind.PURCHASE,
        monthly=price.monthly,
        starts=starts,
        ends=ends,
        bought_at=starts,
        paid_days=365,
        list_amount=price.yearly,
        cash={"transfer": f"{price.yearly:.2f}"},
    )
    subscription_start(
        tenant_id=tenant.pk,
        plan_code=plan_code,
        basis=basis,
        starts=starts,
        ends=ends,
        lines=[line] if basis == Basis.PAID else [],
        actor=SYSTEM,
        at=starts,
    )


def _link(principal: Tenant, linked: Tenant, state: LinkState, at: datetime) -> None:
    """Take a link as far as ``state``, a few hours for each step, by the same services as the pages."""
    hour = timedelta(hours=1)
    proposed = link_propose(
        tenant_id=principal.pk,
        account_id=linked.public_id,
        name=linked.name,
        actor=_owner(principal),
        at=at,
    )
    links_carry(at=at)
    if state == LinkState.PROPOSED:
        return
    invitation = AccountLink.objects.get(tenant=linked, pair=proposed.pair)
    link_accept(link_id=invitation.pk, actor=_owner(linked), at=at + hour)
    links_carry(at=at + hour)
    if state == LinkState.ACTIVE:
        card = principal.account_manager
        manager = Actor(
            user=card.user if card else None,
            name=card.display_name if card else "",
            title=card.title if card else "",
            is_staff=True,
        )
        link_approve(link_id=proposed.pk, actor=manager, at=at + 2 * hour)


def _owner(tenant: Tenant) -> Actor:
    owner = Membership.objects.select_related("user").get(tenant=tenant, role=TenantRole.OWNER).user
    return Actor(user=owner, name=owner.name, title="所有者")


def _apply_for_trial(tenant: Tenant, at: datetime) -> None:
    if TrialApplication.objects.filter(tenant=tenant).exists():
        return
    trial_apply(
        tenant_id=tenant.pk,
        plan_code=TRIAL[1],
        reason=TRIAL[2],
        actor=_owner(tenant),
        at=at - timedelta(hours=19),
    )


def _use_quota(tenant: Tenant, item: ServiceItem, window: AssuranceWindow) -> None:
    subscription = Subscription.objects.get(tenant=tenant)
    QuotaUse.objects.create(
        tenant=tenant,
        item=item,
        service_year_start=subscription.anchor,
        level=window.level,
        state=QuotaState.USED if window.state == WindowState.APPROVED else QuotaState.HELD,
        reference=f"window-{window.pk}",
        created_at=window.created_at,
    )
