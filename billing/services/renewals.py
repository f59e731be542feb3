"""Renewing by itself: off by default, from the balance, tried daily from some days before the end (domain.md §2)."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.access import SYSTEM, Actor
from accounts.services.sweeps import sweep
from billing import exceptions as errors
from billing.locks import lock_auto_renewals
from billing.models import AutoRenewal, Order
from billing.quotes import must_be_offered
from billing.selectors.changes import paid_subscription
from billing.selectors.wallet import balance_of
from billing.services.orders import order_set_funds
from billing.services.placing import order_create_renewal
from billing.states import TO_PROVISION_STATES, OrderOrigin
from core.clock import local
from core.exceptions import DomainError
from messaging.services import notify
from supportplans.locks import lock_tenant
from supportplans.models import Subscription
from supportplans.selectors.catalogue import agreement_at
from supportplans.selectors.figures import days_of, figure_at
from supportplans.states import Basis, FigureCode, SubscriptionState

logger = logging.getLogger(__name__)
SWEEP_BATCH = 100


@transaction.atomic
def auto_renewal_set(
    *,
    tenant_id: int,
    enabled: bool,
    years: int,
    agreement_version: str,
    actor: Actor,
    at: datetime,
) -> AutoRenewal:
    """Turn renewing by itself on or off. Turning it on accepts the service agreement in force.

    Raises TermNotOffered, AgreementNotAccepted, AgreementChanged.
    """
    must_be_offered(years, int(figure_at(FigureCode.TERM_YEARS, at)))
    if enabled:
        if not agreement_version:
            raise errors.AgreementNotAccepted(field="agreement")
        if agreement_version != agreement_at(at).version:
            raise errors.AgreementChanged(field="agreement")
    lock_tenant(tenant_id)
    setting, _created = AutoRenewal.objects.update_or_create(
        tenant_id=tenant_id,
        defaults={
            "enabled": enabled,
            "years": years,
            "agreement_version": agreement_version if enabled else "",
            "tried_on": None,
            "failure": "",
            **actor.snapshot(),
        },
        create_defaults={
            "enabled": enabled,
            "years": years,
            "agreement_version": agreement_version if enabled else "",
            "created_at": at,
            **actor.snapshot(),
        },
    )
    return setting


@transaction.atomic
def auto_renewal_end(*, tenant_id: int) -> None:
    """Turn renewing by itself off for a tenant that has left its plan. The caller holds the tenant's lock."""
    AutoRenewal.objects.filter(tenant_id=tenant_id, enabled=True).update(
        enabled=False, agreement_version="", failure=""
    )


def auto_renewals_run(*, at: datetime) -> int:
    """Renew a batch of what renews by itself and ends soon; return how many were renewed. Safe to run twice."""
    return sweep(
        "billing.auto_renewals_run",
        lambda waiting: auto_renewals_due(at=at).exclude(tenant_id__in=waiting)[:SWEEP_BATCH],
        lambda tenant_id: auto_renew(tenant_id=tenant_id, at=at),
        at=at,
    )


def auto_renewals_due(*, at: datetime) -> QuerySet[AutoRenewal, tuple[int, str]]:
    """Return the ids and names of the tenants whose plan ends soon, renews by itself, and was not tried today."""
    settings = AutoRenewal.objects.filter(
        Q(tried_on=None) | Q(tried_on__lt=local(at).date()),
        enabled=True,
        tenant_id__in=_ending_soon(at).values("tenant_id"),
    )
    # Who was never tried comes first, so that a full batch of failures keeps nobody waiting.
    waiting = settings.order_by(F("tried_on").asc(nulls_first=True), "pk")
    return waiting.values_list("tenant_id", "tenant__name")


@transaction.atomic
def auto_renew(*, tenant_id: int, at: datetime) -> bool:
    """Renew a tenant's plan from its balance, once a day; return True if it was renewed.

    A failure tells the customer why. Safe to run twice: the day is noted with the attempt. Nothing is done where the
    customer has renewed, left or turned it off since the sweep read who is due, nor while something that was paid is on
    its way: a renewal, or money for one. The next sweep looks again.
    """
    lock_tenant(tenant_id)
    setting = lock_auto_renewals().get(tenant_id=tenant_id)
    today = local(at).date()
    if not setting.enabled or setting.tried_on == today:
        return False
    if not _ending_soon(at).filter(tenant_id=tenant_id).exists() or _is_underway(tenant_id):
        return False
    try:
        with transaction.atomic():
            _renew(setting, at)
        setting.failure = ""
    except DomainError as refused:
        setting.failure = refused.code
        _tell_failure(setting, at)
    setting.tried_on = today
    setting.save(update_fields=["tried_on", "failure"])
    return not setting.failure


def _ending_soon(at: datetime) -> QuerySet[Subscription]:
    """Return the paid plans that are renewed now, if their customers want it."""
    soon = at + days_of(figure_at(FigureCode.AUTO_RENEW_DAYS, at))
    return Subscription.objects.filter(
        state=SubscriptionState.ACTIVE, basis=Basis.PAID, ends__gt=at, ends__lte=soon
    )


def _is_underway(tenant_id: int) -> bool:
    return Order.objects.filter(tenant_id=tenant_id, state__in=TO_PROVISION_STATES).exists()


def _renew(setting: AutoRenewal, at: datetime) -> None:
    subscription = paid_subscription(setting.tenant_id, at)
    order = order_create_renewal(
        tenant_id=setting.tenant_id,
        years=setting.years,
        agreement_version=setting.agreement_version,
        shown_amount=None,
        idempotency_key=f"auto-{subscription.pk}-{subscription.ends:%Y%m%d}-{local(at):%Y%m%d}",
        actor=SYSTEM,
        at=at,
        origin=OrderOrigin.AUTO_RENEWAL,
    )
    if balance_of(setting.tenant_id) < order.amount:
        raise errors.BalanceTooLow
    order_set_funds(
        order_id=order.pk,
        coupon_grant_id=None,
        voucher_ids=[],
        use_balance=True,
        actor=SYSTEM,
        at=at,
    )


def _tell_failure(setting: AutoRenewal, at: datetime) -> None:
    logger.info("tenant %s was not renewed: %s", setting.tenant_id, setting.failure)
    notify(
        "billing.auto_renewal_failed",
        key=f"{setting.tenant_id}-{local(at):%Y%m%d}",
        audience=["tenant:owner"],
        context={"why": setting.failure, "years": setting.years},
        url="/support/plan/renew/",
        tenant_id=setting.tenant_id,
        at=at,
    )
