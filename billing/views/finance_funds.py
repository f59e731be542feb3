"""Finance's pages of coupons and vouchers: terms, who has what, granting to one customer, taking back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import actor_of, staff_view
from accounts.models.users import StaffRole
from billing.finance_forms import (
    CouponForm,
    CustomerForm,
    GrantFilter,
    TermsFilter,
    VoucherFilter,
    VoucherForm,
)
from billing.models import Coupon, CouponGrant, Voucher
from billing.selectors.finance import (
    coupon_get,
    coupons_found,
    customers_named,
    grant_get,
    grants_found,
    page_of,
    voucher_get,
    vouchers_found,
)
from billing.services.vouchers import (
    coupon_create,
    coupon_grant,
    coupon_withdraw,
    voucher_grant,
    voucher_withdraw,
)
from billing.states import CouponState
from billing.views.steps import EmptyForm, Step, posted, refuse, step_answer
from core import clock
from core.exceptions import DomainError
from core.money import ZERO

VALID_FOR = timedelta(days=90)


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_coupon_list(request: HttpRequest) -> HttpResponse:
    """Show the terms of coupons, newest first, page by key."""
    form = TermsFilter(request.GET)
    rows, next_after = page_of(coupons_found(at=clock.now(), **form.chosen()), form.key)
    context = {"form": form, "rows": rows, "next_after": next_after}
    return render(request, "billing/finance_coupon_list.html", context)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_coupon_new(request: HttpRequest) -> HttpResponse:
    """Lay down the terms of a coupon."""
    form = CouponForm(posted(request), initial=_validity(clock.now()))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        terms = {**data, "plans": tuple(data["plans"]), "order_types": tuple(data["order_types"])}
        terms["min_spend"] = data["min_spend"] or ZERO
        try:
            coupon = coupon_create(**terms, actor=actor_of(request), at=clock.now())
        except DomainError as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("优惠券已创建"))
            return redirect("billing:finance_coupon_detail", coupon.pk)
    status = 422 if form.errors else 200
    return render(request, "billing/finance_coupon_new.html", {"form": form}, status=status)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_coupon_detail(request: HttpRequest, coupon_id: int) -> HttpResponse:
    """Show a coupon with those who have it; give it to one more customer."""
    coupon, now = _coupon(coupon_id), clock.now()
    form, found = CustomerForm(posted(request)), GrantFilter(request.GET)
    if request.method == "POST" and form.is_valid():
        tenant = form.cleaned_data["customer"]
        try:
            coupon_grant(
                coupon_id=coupon.pk,
                tenant_id=tenant.pk,
                key=str(form.cleaned_data["key"]),
                actor=actor_of(request),
                at=now,
            )
        except DomainError as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("已发放给%(name)s") % {"name": tenant.name})
            return redirect("billing:finance_coupon_detail", coupon.pk)
    rows, next_after = page_of(grants_found(coupon.pk, **found.chosen()), found.key)
    context = {
        "coupon": coupon,
        "form": form,
        "filter": found,
        "rows": rows,
        "next_after": next_after,
        "is_over": coupon.valid_until <= now,
        "left": None if coupon.budget is None else coupon.budget - coupon.reserved,
    }
    status = 422 if form.errors else 200
    return render(request, "billing/finance_coupon_detail.html", context, status=status)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_coupon_withdraw(request: HttpRequest, grant_id: int) -> HttpResponse:
    """Take back a coupon that is neither held nor used."""
    try:
        grant = grant_get(grant_id)
    except CouponGrant.DoesNotExist:
        raise Http404 from None
    step = Step(
        id="withdraw",
        title=_("收回%(customer)s的优惠券“%(name)s”？")
        % {"customer": grant.tenant.name, "name": grant.coupon.name},
        text=_("客户不能再使用这张优惠券，占用的预算随即释放，不能撤回。"),
        facts=[
            (_("客户"), grant.tenant.name),
            (_("优惠券"), str(grant.coupon)),
            (_("状态"), str(CouponState(grant.state).label)),
            (_("最高优惠"), f"¥{grant.coupon.most:,.2f}"),
        ],
        verb=_("确认收回"),
        action=request.path,
        back=reverse("billing:finance_coupon_detail", args=[grant.coupon_id]),
        form=EmptyForm(posted(request)),
    )

    def act(_data: Mapping[str, Any]) -> None:
        coupon_withdraw(grant_id=grant_id, actor=actor_of(request), at=clock.now())

    return step_answer(request, step, act, done=_("优惠券已收回"))


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_voucher_list(request: HttpRequest) -> HttpResponse:
    """Show all customers' vouchers, newest first, page by key."""
    form = VoucherFilter(request.GET)
    chosen, now = form.chosen(), clock.now()
    name = chosen.pop("customer", "")
    tenants = [tenant.pk for tenant in customers_named([name])[name]] if name else None
    rows, next_after = page_of(vouchers_found(at=now, tenants=tenants, **chosen), form.key)
    context = {
        "form": form,
        "rows": rows,
        "next_after": next_after,
        "at": now,
    }
    return render(request, "billing/finance_voucher_list.html", context)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_voucher_new(request: HttpRequest) -> HttpResponse:
    """Give a voucher to one customer."""
    now = clock.now()
    form = VoucherForm(posted(request), initial=_validity(now))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            voucher_grant(
                tenant_id=data["customer"].pk,
                name=data["name"],
                amount=data["amount"],
                valid_from=data["valid_from"],
                valid_until=data["valid_until"],
                key=str(data["key"]),
                actor=actor_of(request),
                at=now,
            )
        except DomainError as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("代金券已发放"))
            return redirect("billing:finance_voucher_list")
    status = 422 if form.errors else 200
    return render(request, "billing/finance_voucher_new.html", {"form": form}, status=status)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_voucher_withdraw(request: HttpRequest, voucher_id: int) -> HttpResponse:
    """Take back what is left of a voucher."""
    try:
        voucher = voucher_get(voucher_id)
    except Voucher.DoesNotExist:
        raise Http404 from None
    step = Step(
        id="withdraw",
        title=_("收回代金券 %(number)s 的余额？") % {"number": voucher.number},
        text=_("客户不能再使用剩余金额，未支付订单已占用的部分不受影响，不能撤回。"),
        facts=[
            (_("客户"), voucher.tenant.name),
            (_("名称"), voucher.name),
            (_("面额"), f"¥{voucher.amount:,.2f}"),
            (_("收回余额"), f"¥{voucher.balance:,.2f}"),
        ],
        verb=_("确认收回"),
        action=request.path,
        back=reverse("billing:finance_voucher_list"),
        form=EmptyForm(posted(request)),
    )

    def act(_data: Mapping[str, Any]) -> None:
        voucher_withdraw(voucher_id=voucher_id, actor=actor_of(request), at=clock.now())

    return step_answer(request, step, act, done=_("代金券已收回"))


def _validity(at: datetime) -> dict[str, datetime]:
    """Return a form's first values: from now, for three months."""
    return {"valid_from": at, "valid_until": at + VALID_FOR}


def _coupon(coupon_id: int) -> Coupon:
    try:
        return coupon_get(coupon_id)
    except Coupon.DoesNotExist:
        raise Http404 from None
