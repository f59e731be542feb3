"""The worker's part of a refund in three steps: claim (a transaction), ask the provider (none), apply (a transaction).

Every step may be killed and run again: a provider gives money back once per refund number, and a refund that was
asked for is looked up before it is asked for again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.access import SYSTEM
from billing.locks import lock_refunds_free
from billing.models import Order, Refund
from billing.providers.base import (
    Provider,
    RefundRefusal,
    RefundReport,
    RefundRequest,
    RefundStatus,
)
from billing.services.refund_steps import (
    refund_complete,
    refund_lock,
    refund_move,
    refund_tell_finance,
)
from billing.states import AccountKind, RefundState

logger = logging.getLogger(__name__)
# Pauses between questions to the provider. The first is longer than one question may take.
ASK_SECONDS = (60, 120, 300, 900, 3600, 14_400)
# The provider keeps the money for good: the balance takes it. What else it may refuse contradicts our books or its own
# funds: people look first, or the customer might have the money twice.
FINAL = frozenset({RefundRefusal.WINDOW_OVER, RefundRefusal.ACCOUNT_GONE, RefundRefusal.OTHER})


class RefundMismatch(Exception):
    """A provider's word is about another refund, or another sum."""


@dataclass(frozen=True)
class RefundClaim:
    """A refund that this worker asks its provider about. ``was_asked``: it may have been paid already."""

    refund_id: int
    provider: str
    paid_at: datetime
    was_asked: bool
    request: RefundRequest


@transaction.atomic
def refund_claim(
    *, at: datetime, refund_id: int | None = None, even_early: bool = False
) -> RefundClaim | None:
    """Take one refund that is due (or the named one, if it is) and keep others from it for a while.

    ``even_early``: the provider is known to have news of the named one.
    """
    due = (
        lock_refunds_free()
        .filter(state__in=[RefundState.READY, RefundState.PROCESSING])
        .exclude(destination__in=[AccountKind.BALANCE, AccountKind.TRANSFER])
    )
    if refund_id is not None:
        due = due.filter(pk=refund_id)
    if refund_id is None or not even_early:
        due = due.filter(next_try_at__lte=at)
    refund = due.order_by("next_try_at").select_related("payment").first()
    if refund is None:
        return None
    if refund.payment is None or refund.payment.paid_at is None:
        raise ValueError(f"refund {refund.number} to {refund.destination} has no payment")
    was_asked = refund.state == RefundState.PROCESSING or refund.tries > 0
    pause = ASK_SECONDS[min(refund.tries, len(ASK_SECONDS) - 1)]
    refund.tries = min(refund.tries + 1, 30_000)
    refund.next_try_at = at + timedelta(seconds=pause)
    if refund.state == RefundState.READY:
        refund_move(
            refund,
            to=RefundState.PROCESSING,
            actor=SYSTEM,
            at=at,
            also=["tries", "next_try_at"],
        )
    else:
        refund.save(update_fields=["tries", "next_try_at"])
    payment = refund.payment
    return RefundClaim(
        refund_id=refund.pk,
        provider=refund.destination,
        paid_at=payment.paid_at or at,
        was_asked=was_asked,
        request=RefundRequest(
            number=payment.number,
            refund_number=refund.number,
            amount=refund.amount,
            total=payment.amount,
            currency=payment.currency,
        ),
    )


def refund_ask(claim: RefundClaim, provider: Provider, *, at: datetime) -> RefundReport:
    """Return the provider's word; called outside of any transaction. Raises ProviderError.

    Where the provider's window is over, and it has not paid before, it is not asked to.
    """
    request = claim.request
    if claim.was_asked:
        report = provider.refund_query(request.number, request.refund_number)
        if report.status in {RefundStatus.DONE, RefundStatus.PENDING}:
            return report
    window = provider.refund_window
    if window is not None and at - claim.paid_at > window:
        return RefundReport(
            RefundStatus.REFUSED,
            request.number,
            request.refund_number,
            request.amount,
            code=RefundRefusal.WINDOW_OVER,
            reason=f"paid at {claim.paid_at:%Y-%m-%d}",
        )
    return provider.refund(request)


@transaction.atomic
def refund_apply(report: RefundReport, *, refund_id: int, at: datetime) -> Refund:
    """Do what a provider's word asks for, once. Raises RefundMismatch; then nothing was changed."""
    refund, order = refund_lock(refund_id)
    if refund.state != RefundState.PROCESSING:
        return refund
    if report.refund_number != refund.number or (
        report.status in {RefundStatus.DONE, RefundStatus.PENDING}
        and report.amount != refund.amount
    ):
        raise RefundMismatch(f"{report.refund_number} {report.amount}")
    match report.status:
        case RefundStatus.DONE:
            refund_complete(
                refund,
                order,
                actor=SYSTEM,
                at=at,
                done_at=report.refunded_at,
                reference=report.refund_no[:64],
            )
        case RefundStatus.REFUSED:
            _refused(refund, order, report, at)
        case _:
            refund.error = ""
            refund.save(update_fields=["error"])
    return refund


@transaction.atomic
def refund_ask_failed(*, refund_id: int, error: str) -> None:
    """Keep why the provider could not be asked, where finance sees it; the next sweep asks again."""
    Refund.objects.filter(pk=refund_id, state=RefundState.PROCESSING).update(error=error[:200])


def _refused(refund: Refund, order: Order, report: RefundReport, at: datetime) -> None:
    reason = f"{report.code} {report.reason}".strip()
    logger.warning("refund %s was refused: %s", refund.number, reason)
    if report.code in FINAL:
        refund.destination = AccountKind.BALANCE
        refund_complete(refund, order, actor=SYSTEM, at=at, refused=reason)
        return
    # Once its account is filled the provider takes the same number again; anything else waits for people.
    refund.error = reason[:200]
    if report.code != RefundRefusal.NO_FUNDS:
        refund.next_try_at = None
    refund_move(
        refund,
        to=RefundState.READY,
        actor=SYSTEM,
        at=at,
        note=reason,
        also=["error", "next_try_at"],
    )
    refund_tell_finance(refund, order, why="stopped", at=at)
