"""Finance's pages of money on its way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actor_of, identity_of, staff_view
from accounts.models.users import StaffRole
from billing.finance_forms import NoteForm, ReferenceForm, RefundFilter
from billing.models import Refund
from billing.selectors.finance import page_of, refund_get, refunds_found
from billing.services.refunds import (
    WAITING,
    refund_approve,
    refund_redirect,
    refund_retry,
    refund_transfer_done,
)
from billing.states import AccountKind, RefundState
from billing.views.steps import EmptyForm, Step, posted, step_answer
from core import clock
from core.exceptions import DomainError


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_refund_list(request: HttpRequest) -> HttpResponse:
    """Show all customers' refunds, newest first, page by key."""
    form = RefundFilter(request.GET)
    rows, next_after = page_of(refunds_found(**form.chosen()), form.key)
    context = {"form": form, "rows": rows, "next_after": next_after}
    return render(request, "billing/finance_refund_list.html", context)


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_refund_detail(request: HttpRequest, refund_id: int) -> HttpResponse:
    """Show one refund with its history and what can be decided about it now."""
    refund = _refund(refund_id)
    user = identity_of(request).user
    is_ready = refund.state == RefundState.READY
    may_wait = refund.state in WAITING or is_ready
    is_own = user is not None and user.pk in {refund.actor_id, refund.order.actor_id}
    awaits_approval = refund.state == RefundState.AWAITING_APPROVAL
    is_by_transfer = refund.destination == AccountKind.TRANSFER
    steps = []
    if may_wait and refund.destination != AccountKind.BALANCE:
        steps.append(_redirection(refund, None))
    if is_ready and is_by_transfer:
        steps.append(_by_hand(refund, None))
    if awaits_approval and not is_own:
        steps.append(_approval(refund, None))
    context = {
        "refund": refund,
        "steps": steps,
        "is_own": awaits_approval and is_own,
        "can_retry": is_ready and refund.payment is not None and not is_by_transfer,
    }
    return render(request, "billing/finance_refund_detail.html", context)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_refund_approve(request: HttpRequest, refund_id: int) -> HttpResponse:
    """Let a large refund go on its way."""
    step = _approval(_refund(refund_id), posted(request))

    def act(_data: Mapping[str, Any]) -> None:
        refund_approve(refund_id=refund_id, actor=actor_of(request), at=clock.now())

    return step_answer(request, step, act, done=_("退款已批准"))


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_refund_redirect(request: HttpRequest, refund_id: int) -> HttpResponse:
    """Send a refund to the balance after all."""
    step = _redirection(_refund(refund_id), posted(request))

    def act(data: Mapping[str, Any]) -> None:
        actor, at = actor_of(request), clock.now()
        refund_redirect(refund_id=refund_id, note=data["note"], actor=actor, at=at)

    return step_answer(request, step, act, done=_("退款已改为退至账户余额"))


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_refund_transfer(request: HttpRequest, refund_id: int) -> HttpResponse:
    """Record that a refund was transferred by hand."""
    step = _by_hand(_refund(refund_id), posted(request))

    def act(data: Mapping[str, Any]) -> None:
        actor, at = actor_of(request), clock.now()
        refund_transfer_done(refund_id=refund_id, reference=data["reference"], actor=actor, at=at)

    return step_answer(request, step, act, done=_("退款已登记为转账完成"))


@staff_view(StaffRole.FINANCE)
@require_POST
def finance_refund_retry(request: HttpRequest, refund_id: int) -> HttpResponse:
    """Ask the provider again now."""
    refund = _refund(refund_id)
    try:
        refund_retry(refund_id=refund.pk, actor=actor_of(request), at=clock.now())
    except DomainError as refused:
        messages.error(request, str(refused.message))
    else:
        messages.success(request, _("已重新提交支付渠道"))
    return redirect("billing:finance_refund_detail", refund.pk)


def _approval(refund: Refund, data: Mapping[str, Any] | None) -> Step:
    return _step(
        refund,
        "approve",
        EmptyForm(data),
        title=_("批准退款 %(number)s？") % {"number": refund.number},
        text=_("批准后退款立即进入处理，退至余额的款项即时到账，不能撤回。"),
        verb=_("批准退款"),
    )


def _redirection(refund: Refund, data: Mapping[str, Any] | None) -> Step:
    return _step(
        refund,
        "redirect",
        NoteForm(data, auto_id="redirect-%s"),
        title=_("将退款 %(number)s 改为退至账户余额？") % {"number": refund.number},
        text=_("款项不再退回原支付方式，客户可用余额支付后续订单，不能撤回。"),
        verb=_("改为退至余额"),
    )


def _by_hand(refund: Refund, data: Mapping[str, Any] | None) -> Step:
    return _step(
        refund,
        "transfer",
        ReferenceForm(data, auto_id="transfer-%s"),
        title=_("登记退款 %(number)s 已转账？") % {"number": refund.number},
        text=_("请在银行完成转账后登记，登记后退款完成并通知客户。"),
        verb=_("登记转账完成"),
    )


def _step(refund: Refund, name: str, form: forms.Form, *, title: str, text: str, verb: str) -> Step:
    return Step(
        id=name,
        title=title,
        text=text,
        facts=[
            (_("客户"), str(refund.tenant)),
            (_("订单号"), refund.order.number),
            (_("退款去向"), str(refund.get_destination_display())),
            (_("退款金额"), f"¥{refund.amount:,.2f}"),
        ],
        verb=verb,
        action=reverse(f"billing:finance_refund_{name}", args=[refund.pk]),
        back=reverse("billing:finance_refund_detail", args=[refund.pk]),
        form=form,
    )


def _refund(refund_id: int) -> Refund:
    try:
        return refund_get(refund_id)
    except Refund.DoesNotExist:
        raise Http404 from None
